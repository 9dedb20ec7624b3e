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
  share: 0.409,
};

test('a progress line has records, rate, lag, watermark, memory and share', () => {
  const line = progressLine(PROGRESS, 410_000, 212 * 1024 * 1024);
  assert.equal(line, '1,234,567 records · 410,000/s · lag 2,000 · watermark 2001-02-03 04:05 · 212 MiB · 40%');
  const early = progressLine({ ...PROGRESS, streamTime: undefined, share: undefined }, 0, 0);
  assert.match(early, /watermark none · 0 MiB$/);
  assert.match(progressLine({ ...PROGRESS, streamTime: Infinity }, 0, 0), /watermark end/);
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

test('elsewhere a plain line comes every few seconds', () => {
  const { clock, lines, hide } = shown(false);
  clock.advance(10_000);
  assert.equal(lines.length, 2);
  hide();
});
