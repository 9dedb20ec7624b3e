import type { Json } from '../core/ids.ts';
import { isSchema } from '../expressions/expressions.ts';
import { scheduleFaults } from '../scheduler/scheduler.ts';
import type { TriggerSpec } from './document.ts';
import type { Path } from './faults.ts';
import { schemaFault } from './json-schema.ts';
import { inputFaults } from './judge-input.ts';
import type { Judged } from './judged.ts';
import { dueInput, readTime } from './schedule-triggers.ts';

const FIELDS: readonly string[] = ['cron', 'timeZone', 'input', 'from', 'until'];

/** Triggers of type `schedule`. */
export function judgeSchedules(judged: Judged): void {
  for (const [index, trigger] of (judged.sound.document.triggers ?? []).entries()) {
    if (trigger?.type === 'schedule') judgeSchedule(trigger, ['triggers', index, 'config'], judged);
  }
}

function judgeSchedule({ config = {} }: TriggerSpec, path: Path, judged: Judged): void {
  const say = (field: readonly string[], message: string, cure: string) =>
    judged.faults.add('workflow.schedule', [...path, ...field], message, cure);
  for (const name of Object.keys(config)) {
    if (!FIELDS.includes(name)) say([name], `a schedule has no ${name}`, `It has ${FIELDS.join(', ')}.`);
  }
  judgeInput(config['input'], say, judged);
  const { cron, timeZone } = config;
  if (typeof cron !== 'string') {
    say([], 'a schedule has no cron text', 'Add cron, such as "30 2 * * 1-5", or @daily.');
    return;
  }
  if (timeZone !== undefined && typeof timeZone !== 'string') {
    say(['timeZone'], 'a time zone is text', 'Give an IANA name such as Europe/Berlin.');
    return;
  }
  const bounds: { from?: number; until?: number } = {};
  for (const name of ['from', 'until'] as const) {
    if (config[name] === undefined) continue;
    const at = readTime(config[name]);
    if (at === undefined) say([name], `${name} is no time`, 'Write it as 2026-03-01T00:00:00Z.');
    else bounds[name] = at;
  }
  const schedule = { cron, ...(timeZone === undefined ? {} : { timeZone }), ...bounds };
  for (const { message, cure } of scheduleFaults(schedule)) say([], message, cure);
}

type Say = (field: readonly string[], message: string, cure: string) => void;

/** It is held against the inputs of the document, with the interval that every start by a schedule has. */
function judgeInput(input: Json | undefined, say: Say, { sound }: Judged): void {
  if (input !== undefined && (typeof input !== 'object' || input === null || Array.isArray(input))) {
    say(['input'], 'the input of a schedule is an object', 'Write its fields: { "region": "north" }.');
    return;
  }
  const ports = Object.values(sound.document.inputs ?? {});
  if (ports.some((port) => isSchema(port?.schema) && schemaFault(port.schema) !== undefined)) return;
  const given = dueInput((input ?? {}) as { readonly [name: string]: Json }, { at: 0, from: 0 });
  for (const { pointer, message, cure } of inputFaults(sound.document, given)) {
    say(['input', ...pointer.split('/').slice(1, 2)], message, cure);
  }
}
