import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { namedEvents, type StepEvent, type StepRecord } from '../events/events.ts';
import { HISTORY } from './answer-schemas.ts';
import { NAMED_EVENT, STEP_EVENT } from './event-schemas.ts';
import { judge } from './testing/described.ts';

const FOLDER = join(import.meta.dirname, '..', 'events', 'golden');
/** Records that were kept; a test of them says that they hold every kind of event but those of sessions. */
const RECORDS = readdirSync(FOLDER)
  .filter((name) => /^steps-\d+\.json$/.test(name))
  .flatMap((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as { readonly record: StepRecord }[])
  .map(({ record }) => ({ ...record, events: record.events.map(asNow) }));

/** Three kinds were told with other fields before there was anybody to describe them to. */
function asNow(event: StepEvent): StepEvent {
  if (event.type === 'patched') return { ...event, added: [], removed: [3], removedEdges: [1] };
  if (event.type === 'iterations') return { ...event, items: [1], atOnce: 2 };
  if (event.type !== 'compensating') return event;
  const error = { class: 'USER', code: 'x', message: 'y', instance: '' } as const;
  return { type: 'compensating', order: ['3', '1@2'], error };
}

const SESSION_EVENTS: readonly StepEvent[] = [
  { type: 'session-asked', name: 'cart', id: 'ann', keys: ['visits'] },
  { type: 'session-held', name: 'cart', id: 'ann', holder: 'x', keys: ['visits'], values: { visits: null } },
  { type: 'session-written', node: 1, iteration: '', key: 'visits', value: 2 },
  { type: 'session-queued', execution: 'x', keys: [], ttlMs: 5 },
  { type: 'session-left', execution: 'x' },
  { type: 'session-granted', execution: 'x', ttlMs: 5 },
  { type: 'session-put', key: 'visits', value: [1] },
  { type: 'session-returned', execution: 'x', expiresAt: 7 },
  { type: 'session-emptied', why: 'cleared', by: null },
];
const NAMES = { workflow: 'w', id: (node: number) => `n${node}`, type: () => 'task', schema: () => null };

test('every kind of event of a step is described, with all its fields and no others', () => {
  const events = [...RECORDS.flatMap((record) => record.events), ...SESSION_EVENTS];
  assert.equal(new Set(events.map(({ type }) => type)).size, STEP_EVENT.oneOf.length);
  for (const event of events) {
    judge(STEP_EVENT, event, event.type);
    assert.throws(() => judge(STEP_EVENT, { ...event, odd: 1 }, event.type), /must NOT have additional properties/);
    for (const name of Object.keys(event)) {
      const { [name as 'type']: _, ...rest } = event;
      const mayBeLeftOut = ['outputs', 'continues', 'counts', 'given'].includes(name);
      if (!mayBeLeftOut) assert.throws(() => judge(STEP_EVENT, rest, event.type), `${event.type} ${name}`);
    }
  }
  judge(HISTORY, { rows: RECORDS }, 'a history');
});

test('every kind of event that clients are told is described, with its data', () => {
  const events = RECORDS.flatMap((record) => namedEvents(record, NAMES));
  const kinds = new Set(events.map(({ type, data }) => `${type} ${Object.keys(data).sort().join()}`));
  assert.equal(kinds.size, NAMED_EVENT.oneOf.length);
  for (const event of events) {
    judge(NAMED_EVENT, event, event.type);
    const odd = { ...event, data: { ...event.data, odd: 1 } };
    assert.throws(() => judge(NAMED_EVENT, odd, event.type), /must NOT have additional properties/);
  }
});
