import assert from 'node:assert/strict';
import { FlowError } from '../../../core/errors.ts';
import type { Json, Millis } from '../../../core/ids.ts';
import { randomInt, seededRandom, seedOf } from '../../../core/random.ts';
import type { Command } from '../../lifecycle/lifecycle.ts';
import { segmentName } from '../../segments/segments.ts';
import type { ClearMessage, TaskMessage } from '../messages.ts';
import type { Answered, AskedOfSegment } from '../segment-calls.ts';
import { document } from './small-documents.ts';

/** A streaming workflow in two versions, and the runs of its segment, which are made up. */
export function streamDocument(version: string): Json {
  const made = document(
    'stream',
    [
      ['first', 'flaky', { n: 0 }],
      ['orders', 'source.topic', { topic: 'orders' }],
      ['all', 'collect', {}],
      ['sum', 'flaky', { n: 1 }],
    ],
    ['orders all', 'all sum'],
  ) as { readonly [name: string]: Json };
  return { ...made, version, mode: 'streaming' };
}

/** One whose node starts that. */
export function familyDocument(version: string): Json {
  const made = document('family', [['run', 'workflow', { workflow: 'stream' }]], []) as {
    readonly [name: string]: Json;
  };
  return { ...made, version, mode: 'streaming' };
}

/** It goes on until it is told otherwise, and gives what came in from the start of the execution. */
export async function runStream(task: TaskMessage, { signal, end, savepoint }: AskedOfSegment): Promise<Answered> {
  assert.doesNotMatch(task.o ?? task.x, /~/, 'the run is called by the first execution');
  const random = seededRandom(seedOf(`${task.x} ${task.a}`));
  if (task.a < 3 && random.next() < 0.15) throw new Error('not yet');
  const asked = AbortSignal.any([signal, end, savepoint]);
  if (!asked.aborted) await new Promise((resolve) => asked.addEventListener('abort', resolve, { once: true }));
  for (let turns = randomInt(random, 3); turns > 0; turns--) await Promise.resolve();
  if (savepoint.aborted || signal.aborted) throw new FlowError('stopped', 'it has stopped');
  return { outputs: { 'all.out': [(task.config as { readonly input: Json }).input] } };
}

/** What runs of segments have in the log and on disk, where no crash takes it. */
export class HeldRuns {
  readonly #held = new Set<string>();
  readonly #cleared = new Set<string>();
  readonly #robbed = new Set<string>();

  begin(task: TaskMessage): void {
    const name = segmentName(task.o ?? task.x, task.node, task.i);
    if (this.#cleared.has(name)) this.#robbed.add(name);
    this.#held.add(name);
  }

  clear({ clear: name }: ClearMessage): void {
    this.#held.delete(name);
    this.#cleared.add(name);
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  check(): void {
    assert.deepEqual([...this.#robbed], [], 'these went on, and what they had was gone');
    assert.deepEqual([...this.#held], [], 'what runs have left is there still');
  }
}

/** An upgrade as the facade asks for it. */
export function upgradeTo(version: string, workflow: string): Command {
  const nodes = workflow === 'family' ? ['run'] : ['first', 'orders', 'all', 'sum'];
  const segments = workflow === 'family' ? { run: null } : { orders: null };
  return { type: 'savepoint', next: { version, nodes, segments }, graceMs: 100 };
}

/** Tells of its nodes one after the other, fails some attempts, and gives what a run of the segment would. */
export async function runRows(task: TaskMessage, now: Millis, progress: (value: Json) => void): Promise<Answered> {
  const random = seededRandom(seedOf(`${task.x} ${task.a}`));
  const figures = (passed: number) => {
    const told = ['items', 'some', 'all'].map((id, i) => [
      id,
      { status: i < passed ? 'COMPLETED' : 'RUNNING', in: passed },
    ]);
    return { nodes: Object.fromEntries(told), edges: { 'items.out>some.in': passed }, at: now + passed };
  };
  for (let passed = 0; passed < 3; passed++) {
    if (random.next() < 0.7) progress(figures(passed));
    for (let turns = randomInt(random, 3); turns > 0; turns--) await Promise.resolve();
    if (task.a < 3 && random.next() < 0.15) throw new Error('not yet');
  }
  const value = (task.config as { readonly input: Json }).input;
  return { outputs: { 'all.out': [value] }, progress: figures(3) };
}
