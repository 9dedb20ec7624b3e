import { readFileSync } from 'node:fs';
import type { Json, Millis } from '../../../core/ids.ts';
import { type Random, randomInt } from '../../../core/random.ts';
import { document } from './small-documents.ts';

/** A graph of tasks that take so long. */
export interface Shaped {
  readonly nodes: readonly { readonly id: string; readonly ms: Millis }[];
  readonly links: readonly (readonly [from: string, to: string])[];
}

class Drawing {
  readonly nodes: { id: string; ms: Millis }[] = [];
  readonly links: (readonly [string, string])[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A task that takes about so long, behind those that are named. */
  task(id: string, aboutMs: Millis, behind: readonly string[]): string {
    const ms = Math.round(aboutMs / 2 + this.#random.next() * aboutMs);
    this.nodes.push({ id, ms });
    for (const from of behind) this.links.push([from, id]);
    return id;
  }
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** A run of a scientific workflow that was recorded: see the `source` in its file. */
export function recorded(name: 'montage' | 'genome' | 'epigenomics'): Shaped {
  const file = new URL(`recorded/${name}.json`, import.meta.url);
  const { tasks } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly tasks: readonly (readonly [id: string, ms: Millis, behind: readonly number[]])[];
  };
  return {
    nodes: tasks.map(([id, ms]) => ({ id, ms })),
    links: tasks.flatMap(([id, , behind]) => behind.map((from) => [tasks[from]![0], id] as const)),
  };
}

/** Layers in which everything hangs on some of the layer before. */
export function layers(random: Random, depth = 12, width = 25): Shaped {
  const drawing = new Drawing(random);
  let before: readonly string[] = [];
  for (const d of range(depth)) {
    before = range(width).map((w) => {
      const behind = before.filter(() => random.next() < 0.12);
      const one = before[randomInt(random, Math.max(1, before.length))];
      return drawing.task(`d${d}-${w}`, 2000, one === undefined || behind.length > 0 ? behind : [one]);
    });
  }
  return drawing;
}

/** As a document, each node of this type with its time as number. */
export function shapedDocument(id: string, { nodes, links }: Shaped, type: string): Json {
  return document(
    id,
    nodes.map((node) => [node.id, type, { n: node.ms }]),
    links.map(([from, to]) => `${from} ${to}`),
  );
}

/**
 * How long it takes where a free slot never rests while anything is ready, the oldest first: list scheduling, by a
 * reading of its own.
 */
export function listSchedule({ nodes, links }: Shaped, slots: number): Millis {
  const time = new Map(nodes.map(({ id, ms }) => [id, ms]));
  const missing = new Map(nodes.map(({ id }) => [id, 0]));
  const next = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  for (const [from, to] of links) {
    missing.set(to, missing.get(to)! + 1);
    next.get(from)!.push(to);
  }
  const ready = nodes.flatMap(({ id }) => (missing.get(id) === 0 ? [id] : []));
  let running: { readonly id: string; readonly until: Millis }[] = [];
  let now = 0;
  for (;;) {
    while (running.length < slots && ready.length > 0) {
      const id = ready.shift()!;
      running.push({ id, until: now + time.get(id)! });
    }
    if (running.length === 0) return now;
    now = Math.min(...running.map(({ until }) => until));
    for (const { id } of running.filter(({ until }) => until === now)) {
      for (const to of next.get(id)!) {
        missing.set(to, missing.get(to)! - 1);
        if (missing.get(to) === 0) ready.push(to);
      }
    }
    running = running.filter(({ until }) => until > now);
  }
}
