import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../core/clock.ts';
import type { Progress } from '../runtime/runtime.ts';
import { progressLine, showProgress } from './progress.ts';

const PROGRESS: Progress = {
  records: 1_234_567,
  recordsByWorker: [1_234_567],
  lag: 2000,
  streamTime: Date.UTC(2001, 1, 3, 4, 5),
  tasks: 4,
  tasksEnded: 0,
  quarantined: [],
  share: 0.409,
  restore: undefined,
  standbys: { tasks: 0, lag: 0 },
  degraded: undefined,
};

test('a progress line has records, rate, lag, watermark, memory and share', () => {
  const line = progressLine(PROGRESS, 410_000, 212 * 1024 * 1024);
  assert.equal(line, '1,234,567 records · 410,000/s · lag 2,000 · watermark 2001-02-03 04:05 · 212 MiB · 40%');
  const stuck = progressLine({ ...PROGRESS, degraded: 'the log has not answered since noon' }, 0, 0);
  assert.match(stuck, / · 40% · the log has not answered since noon$/);
  const early = progressLine({ ...PROGRESS, streamTime: undefined, share: undefined }, 0, 0);
  assert.match(early, /watermark none · 0 MiB$/);
  assert.match(progressLine({ ...PROGRESS, streamTime: Infinity }, 0, 0), /watermark end/);
});

test('while state comes back the line says how much of it, how quickly and for how long', () => {
  const restore = { tasks: 2, done: 1_203_000, left: 2_797_000, perSecond: 410_000, leftMs: 6822 };
  const line = progressLine({ ...PROGRESS, restore }, 0, 0);
  assert.equal(line, 'restoring 2 tasks · 1,203,000 of 4,000,000 records · 410,000/s · 7 s left · 0 MiB');
  const beside = progressLine({ ...PROGRESS, restore: { ...restore, tasks: 1, leftMs: 200_000 } }, 50, 0);
  assert.match(beside, /^1,234,567 records .* 40% · restoring 1 task · .* · 3 min 20 s left$/);
  const long = progressLine({ ...PROGRESS, restore: { ...restore, leftMs: 7_500_000 } }, 0, 0);
  assert.match(long, / · 2 h 5 min left · /);
  const early = progressLine({ ...PROGRESS, restore: { ...restore, perSecond: 0, leftMs: undefined } }, 0, 0);
  assert.match(early, /records · 0\/s · 0 MiB$/);
});

function shown(terminal: boolean) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const over: string[] = [];
  let records = 0;
  const progress = () => {
    records += 1000;
    return { ...PROGRESS, records };
  };
  const run = { progress };
  const world = {
    clock,
    err: (line: string) => void lines.push(line),
    over: terminal ? (line: string) => void over.push(line) : undefined,
  };
  const hide = showProgress(run, world);
  return { clock, lines, over, hide };
}

test('on a terminal one line is written over, and removed at the end', () => {
  const { clock, lines, over, hide } = shown(true);
  clock.advance(1000);
  assert.equal(over.length, 4);
  assert.match(over[1]!, /2,000 records · 4,000\/s/);
  hide();
  clock.advance(1000);
  assert.equal(over.at(-1), '');
  assert.equal(over.length, 5);
  assert.deepEqual(lines, []);
});

test('tasks that were set apart are named', () => {
  const line = progressLine(
    { ...PROGRESS, quarantined: ['orders_1', 'orders_3'], degraded: 'the log is away' },
    1000,
    0,
  );
  assert.match(line, / · orders_1, orders_3 set apart · the log is away$/);
});

test('elsewhere a plain line comes every few seconds', () => {
  const { clock, lines, hide } = shown(false);
  clock.advance(10_000);
  assert.equal(lines.length, 2);
  hide();
});
