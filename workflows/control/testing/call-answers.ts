import type { StepRecord } from '../../../events/events.ts';
import { answerOf, callMessage } from '../call-words.ts';
import type { CallMessage } from '../messages.ts';
import type { TaskCallsParts } from '../task-calls.ts';

/** What a process in a test says of its calls, and what it is answered when that is committed. */
export class CallAnswers {
  readonly words: Pick<TaskCallsParts, 'take' | 'leave'>;
  readonly #waiting = new Map<string, (record: StepRecord) => void>();
  #dead = false;

  /** `say` is to send it when neither a step nor a crash goes on. */
  constructor(process: string, say: (message: CallMessage) => void) {
    const send = async (message: CallMessage) => {
      if (!this.#dead) say(message);
    };
    this.words = {
      take: async (task, word) => {
        const message = callMessage(task, word, process);
        const answered = new Promise<StepRecord>((resolve) => this.#waiting.set(message.id, resolve));
        await send(message);
        const [event] = (await answered).events;
        return answerOf({ rejected: event?.type === 'rejected' ? event : undefined });
      },
      leave: (task) => send(callMessage(task, 'leave', process)),
    };
  }

  /** The process says nothing more. */
  die(): void {
    this.#dead = true;
  }

  /** A step record that is committed. */
  see(record: StepRecord): void {
    if (record.cause.kind !== 'command') return;
    this.#waiting.get(record.cause.id)?.(record);
    this.#waiting.delete(record.cause.id);
  }
}
