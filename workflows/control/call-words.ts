import type { Clock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { uniqueId } from '../../core/random.ts';
import { PROCESS_LOST } from '../lifecycle/lifecycle.ts';
import type { Answers, Taken } from './answers.ts';
import { type CallMessage, type CallWord, rootOf, type TaskMessage } from './messages.ts';
import type { Sender } from './sender.ts';
import type { TaskCallsParts } from './task-calls.ts';

const PAUSE_MS = 1000;

export interface CallWordsParts {
  readonly answers: Pick<Answers, 'to' | 'fail'>;
  readonly sender: Pick<Sender, 'send' | 'sendTo'>;
  readonly clock: Clock;
  readonly process: string;
}

/**
 * What a process says of its calls: by the log, where what others have said stands before it, and until it is answered.
 */
export function callWords({ answers, sender, clock, process }: CallWordsParts): Pick<TaskCallsParts, 'take' | 'leave'> {
  return {
    async take(task, word, signal) {
      const message = callMessage(task, word, process);
      const text = JSON.stringify(message);
      for (;;) {
        try {
          const taken = answers.to(message.id);
          sender.send(rootOf(task.x), text, clock.now(), (reason) => answers.fail(message.id, reason));
          return answerOf(await taken);
        } catch (thrown) {
          if (signal.aborted || isFlowError(thrown, 'stopped')) throw thrown;
          await clock.sleep(PAUSE_MS, signal);
          if (signal.aborted) throw thrown;
        }
      }
    },
    leave: (task) => sender.sendTo(rootOf(task.x), callMessage(task, 'leave', process), clock.now()),
  };
}

export function callMessage({ x, n, i, a }: TaskMessage, word: CallWord, process: string): CallMessage {
  return { x, call: { n, i, a, process, do: word }, id: uniqueId() };
}

/** What an answer to `take` or `wait` says. */
export function answerOf({ rejected }: Pick<Taken, 'rejected'>): 'taken' | 'lost' | 'stale' {
  if (rejected === undefined || rejected.code === 'workflow.duplicate') return 'taken';
  return rejected.code === PROCESS_LOST ? 'lost' : 'stale';
}
