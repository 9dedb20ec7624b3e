import { type Random, randomInt, seededRandom } from '../../core/random.ts';
import { type Datum, type TestProgram, TestTask, type TestTaskOptions } from './test-task.ts';

class Crash extends Error {}

/** What a task wrote and dropped. */
export function outcomeOf(task: TestTask): unknown {
  const drops = task.dropped.items.map(({ node, reason }) => `${node} ${reason}`);
  return { written: task.written.items, drops };
}

/** Runs all inputs to their end, undisturbed. */
export function runPlainly(program: TestProgram, data: readonly Datum[]): TestTask {
  const task = new TestTask(program);
  task.feed(...data);
  task.end();
  return task;
}

export interface Crashes {
  readonly random: Random;
  /** One in so many moments between two steps. */
  readonly oneIn: number;
  /** Whether the inputs end. Default true. */
  readonly ends?: boolean;
  /** Opens the task, which calls `between` between two steps. */
  open(between: () => void): TestTask;
}

/** Takes all inputs, with commits and crashes between any two steps at random; answers how many crashes there were. */
export function runWithCrashes(
  { random, oneIn, ends = true, open }: Crashes,
  data: readonly Datum[],
): { readonly task: TestTask; readonly crashes: number } {
  let between = () => {};
  const task = open(() => between());
  let reopen = task.save();
  between = () => {
    if (randomInt(random, 3) === 0) reopen = task.save();
    if (randomInt(random, oneIn) === 0) throw new Crash();
  };
  task.inputs.push(...data);
  for (let crashes = 0; ; crashes++) {
    try {
      task.run();
      if (ends) task.end();
      return { task, crashes };
    } catch (thrown) {
      if (!(thrown instanceof Crash)) throw thrown;
      reopen();
    }
  }
}

/** All inputs with reads that miss, commits and crashes between any two steps, all at random. */
export function runDisturbed(program: TestProgram, data: readonly Datum[], seed: number): TestTask {
  const random = seededRandom(seed);
  const interrupt: TestTaskOptions['interrupt'] = (step) => {
    if (randomInt(random, 12) === 0) step.miss();
  };
  const open = (between: () => void) => new TestTask(program, { interrupt, between });
  return runWithCrashes({ random, oneIn: 15, open }, data).task;
}
