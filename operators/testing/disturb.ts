import { randomInt, seededRandom } from '../../core/random.ts';
import { type Datum, type TestProgram, TestTask } from './test-task.ts';

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

/** The same with reads that miss, commits and crashes between any two steps, all at random. */
export function runDisturbed(program: TestProgram, data: readonly Datum[], seed: number): TestTask {
  const random = seededRandom(seed);
  let between = () => {};
  const task = new TestTask(program, {
    interrupt(step) {
      if (randomInt(random, 12) === 0) step.miss();
    },
    between: () => between(),
  });
  let reopen = task.save();
  between = () => {
    if (randomInt(random, 3) === 0) reopen = task.save();
    if (randomInt(random, 15) === 0) throw new Crash();
  };
  task.inputs.push(...data);
  for (;;) {
    try {
      task.run();
      task.end();
      return task;
    } catch (thrown) {
      if (!(thrown instanceof Crash)) throw thrown;
      reopen();
    }
  }
}
