import type { Millis } from '../core/ids.ts';
import { type BatchView, type HeaderPair, readPlain } from '../log/batch.ts';
import type { Place, RecordLetter } from './letters.ts';

/** Headers of a letter that tell of it stand behind those of the record, from this one on. */
export const FIRST_TOLD = 'nf.reason';
/** Headers of a record that was redriven. */
export const REDRIVEN = 'nf.redriven';
export const REDRIVES = 'nf.redrives';
/** The value of `nf.bytes` where key and value are not those of the record that was read. */
export const OF_NODE = 'node';

const OWN = 'nf.';
/** What a letter says of itself; the rest is told by whoever runs the application. */
const KNOWN = [
  'reason',
  'message',
  'node',
  'application',
  'task',
  'topic',
  'partition',
  'position',
  'code',
  'at',
  'bytes',
  'hidden',
];

/** A record of a topic of dead letters; what it was is not known yet to have been redriven. */
export function readLetter(view: BatchView, i: number, topic: string): RecordLetter {
  const { headers: pairs, ...body } = readPlain(view, i);
  const first = pairs.findLastIndex(({ name }) => name === FIRST_TOLD);
  const headers = first < 0 ? pairs : pairs.slice(0, first);
  const told = new Map(pairs.slice(headers.length).map(({ name, value }) => [name.slice(OWN.length), textOf(value)]));
  const of = (name: string) => told.get(name) ?? '';
  return {
    id: letterId(topic, view.positions[i]!),
    ...{ application: of('application'), task: of('task'), node: of('node') },
    at: numberOf(told.get('at')) ?? body.timestamp,
    ...{ reason: of('reason'), code: told.get('code') ?? null, message: of('message') },
    from: placeOf(told),
    ofNode: told.get('bytes') === OF_NODE || !told.has('topic'),
    record: { ...body, headers },
    hidden: told.get('hidden')?.split(', ') ?? [],
    told: Object.fromEntries([...told].filter(([name]) => !KNOWN.includes(name))),
    redrives: redrivesOf(headers),
    redriven: null,
  };
}

/** Bytes of what was read. */
export function letterBytes({ record: { key, value } }: RecordLetter): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}

export function letterId(topic: string, position: number): string {
  return `${topic}:${position}`;
}

const ID = /^(nf\..+\.dead-letters):(0|[1-9]\d{0,14})$/;

/** Undefined where the text is no id of such a letter. */
export function readLetterId(id: string): { readonly topic: string; readonly position: number } | undefined {
  const parts = ID.exec(id);
  return parts === null ? undefined : { topic: parts[1]!, position: Number(parts[2]) };
}

/** How often a record with these headers has been redriven. */
export function redrivesOf(headers: readonly HeaderPair[]): number {
  const last = headers.findLast(({ name }) => name === REDRIVES);
  return numberOf(last === undefined ? undefined : textOf(last.value)) ?? 0;
}

/** What a record is sent with that is redriven: its headers, and those that tell of it. */
export function redriveHeaders(headers: readonly HeaderPair[], id: string, before: number): readonly HeaderPair[] {
  const kept = headers.filter(({ name }) => name !== REDRIVEN && name !== REDRIVES);
  return [
    ...kept,
    { name: REDRIVEN, value: Buffer.from(id) },
    { name: REDRIVES, value: Buffer.from(String(before + 1)) },
  ];
}

function placeOf(told: ReadonlyMap<string, string>): Place | null {
  const [topic, partition, position] = [told.get('topic'), told.get('partition'), told.get('position')];
  if (topic === undefined || partition === undefined || position === undefined) return null;
  return { topic, partition: Number(partition), position: Number(position) };
}

function numberOf(text: string | undefined): Millis | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function textOf(value: Uint8Array | null): string {
  return value === null ? '' : Buffer.from(value).toString();
}
