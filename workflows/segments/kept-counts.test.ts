import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { createFileLog } from '../../log/file/file.ts';
import { createLaneLog, type Log } from '../../log/log.ts';
import { dyingLog } from '../../runtime/dying-log.testing.ts';
import { createStateBackend } from '../../state/state.ts';
import { memoryHost, runDocument } from './host.fixture.ts';
import { documentOf } from './jobs.fixture.ts';
import { runOfTopic, type SegmentHost, type SegmentResult } from './run-segment.ts';
import type { SegmentFigures } from './segments.ts';

const TIMEOUT = { timeout: 240_000 };

/** Records are filtered, dropped for want of a key, late, given up, and counted in windows. */
const JOB = documentOf(
  [
    ['items', 'map.items', { items: 'input', time: 'value.at' }],
    ['some', 'op.filter', { where: 'value.n % 3 != 0' }],
    ['by', 'op.select-key', { key: 'value.n % 5 == 0 ? null : string(value.n % 4)', partitions: 2 }],
    ['shares', 'op.map', { value: '{"share": value.list[value.d]}' }],
    // in one stage with what reads rows, and before it: what was pushed before a row was missed is undone
    ['most', 'op.filter', { where: 'value.share != 3' }],
    ['spans', 'op.window.tumbling', { size: '10s' }],
    ['counts', 'op.aggregate', { function: 'count' }],
    ['all', 'collect', { limit: 1000 }],
  ],
  ['items > some', 'some > by', 'by > shares', 'shares > most', 'most > spans', 'spans > counts', 'counts > all'],
);
const KEEPS = {
  ...JOB,
  nodes: JOB.nodes.map((node) =>
    node.id === 'shares' ? { ...node, data: { ...node.data, policy: { onError: 'dead-letter' as const } } } : node,
  ),
};

type Item = { readonly n: number; readonly list: readonly number[]; readonly d: number; readonly at: number };

/** As each process has it: lanes of its own over the one log. */
function over(host: SegmentHost, log: Log): SegmentHost {
  const settings = { clock: systemClock, runOf: runOfTopic, lanes: { topics: 2, partitions: 2 } };
  return { ...host, log, lanes: createLaneLog(log, settings) };
}

interface Kill {
  readonly write: number;
  readonly when: 'before' | 'after';
}

/** Killed at these writes, each by a process that was begun behind the one before; and then run to its end. */
async function runKilled(host: SegmentHost, input: Json, kills: readonly Kill[], dedicated = true) {
  const told: SegmentFigures[] = [];
  const words = { input, dedicated, progress: (each: SegmentFigures) => told.push(each) };
  let killed = 0;
  for (const kill of kills) {
    const dying = dyingLog(host.log, kill);
    await runDocument(over(host, dying.log), KEEPS, words).catch(() => killed++);
    await dying.timedOut();
  }
  return { result: await runDocument(over(host, host.log), KEEPS, words), told, killed };
}

function assertRising(told: readonly SegmentFigures[]): void {
  for (const [i, before] of told.slice(0, -1).entries()) {
    for (const [id, count] of Object.entries(before.edges)) assert.ok(told[i + 1]!.edges[id]! >= count, id);
  }
}

const figuresOf = ({ figures: { nodes, edges } }: SegmentResult) => ({ nodes, edges });
const itemsOf = (count: number, seed = 1): readonly Item[] =>
  Array.from({ length: count }, (_, i) => ({
    n: (i * 7 + seed) % 40,
    list: [1, 2, 3],
    d: i % 11 === 7 ? 5 : i % 3,
    at: i % 13 === 12 ? 0 : i * 1000,
  }));

test('C.7 13: killed at each write, a segment has counted what it counts without', TIMEOUT, async () => {
  const input = itemsOf(60) as unknown as Json;
  const settings = { commitIntervalMs: 1, idleMs: 20, sliceRecords: 8 };
  const whole = await runDocument(memoryHost({ settings }), KEEPS, { input, dedicated: true });
  assert.ok(whole.figures.nodes['shares']!.deadLetters > 0 && whole.figures.nodes['counts']!.dropped['late']! > 0);
  let write = 1;
  let kills = 0;
  for (let isKilled = true; isKilled; write += 1) {
    isKilled = false;
    for (const when of ['before', 'after'] as const) {
      const host = memoryHost({ settings, tellEveryMs: 1 });
      const killed = await runKilled(host, input, [{ write, when }]);
      assert.deepEqual(figuresOf(killed.result), figuresOf(whole), `${when} write ${write}`);
      assertRising(killed.told);
      isKilled ||= killed.killed > 0;
      kills += killed.killed;
      await host.log.close();
    }
  }
  assert.ok(kills > 20, `${kills} kills`);
});

const jobs = fc.record({
  count: fc.integer({ min: 0, max: 120 }),
  seed: fc.nat(40),
  dedicated: fc.boolean(),
  slice: fc.integer({ min: 1, max: 30 }),
  kills: fc.array(
    fc.record({ write: fc.integer({ min: 1, max: 40 }), when: fc.constantFrom<Kill['when'][]>('before', 'after') }),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
});

test(
  'C.7 13: killed again and again on disk, with rows that memory does not hold, it has counted the same',
  TIMEOUT,
  async () => {
    await fc.assert(
      fc.asyncProperty(jobs, async ({ count, seed, dedicated, slice, kills }) => {
        const input = itemsOf(count, seed) as unknown as Json;
        const settings = { commitIntervalMs: 1, idleMs: 20, sliceRecords: slice, writeBackMs: 1 };
        const whole = await runDocument(memoryHost({ settings }), KEEPS, { input, dedicated: true });
        const directory = mkdtempSync(join(tmpdir(), 'nodeflow-kept-counts-'));
        const log = await createFileLog({ directory: join(directory, 'log'), clock: systemClock });
        const host: SegmentHost = {
          ...memoryHost({ settings: { ...settings, stateBytes: 1 }, tellEveryMs: 1 }),
          ...{ log, lanes: log, directory, state: createStateBackend({ onUnavailable: assert.fail }) },
        };
        try {
          const killed = await runKilled(host, input, kills, dedicated);
          assert.deepEqual(figuresOf(killed.result), figuresOf(whole));
          assertRising(killed.told);
        } finally {
          await log.close();
          rmSync(directory, { recursive: true });
        }
      }),
      { numRuns: 15, seed: 5 },
    );
  },
);
