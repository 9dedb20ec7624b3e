import type { Millis } from '../../core/ids.ts';
import type { StepRecord } from '../../events/events.ts';
import type { Mailbox, ProcessContext } from '../../operators/operators.ts';
import { type Told, toldOf } from './answers.ts';
import { type CommandMessage, commandCopy } from './messages.ts';

/** A command on its way. */
export interface Sent {
  readonly id: string;
  /** Of the execution that it is for. */
  readonly root: string;
  readonly partition: number;
  /** A copy, as it would come over the log, and the characters in it; nobody changes it. */
  readonly message: CommandMessage;
  readonly characters: number;
  readonly at: Millis;
  /** Its answer is wanted with the bytes of the step, which only who reads it has. */
  readonly isKept: boolean;
}

/** Of a command that came the short way, for who takes it. */
export interface DirectSender {
  /** What it lacks may be on its way over the log: there it comes once more. More than once is as once. */
  giveBack(): void;
  /** The step that answers it; the last word counts, once it is committed. */
  decided(step: StepRecord): void;
}

export interface DirectParts {
  toLog(sent: Sent): void;
  /**
   * A step that answers a command is committed. Left out where that is known before it can be read: then whoever sent it
   * is answered by what he reads.
   */
  readonly told?: ((told: Told) => void) | undefined;
}

/** Larger ones go over the log. */
const MOST_CHARACTERS = 64 * 1024;

/**
 * The short way for commands to executions that this process owns: to the coordinator of their partition at once, without
 * a record of their own, since the step record names the command and is what answers it. A command that was not answered
 * when its coordinator is given up goes over the log, where whoever follows meets it; what it had done by then is
 * committed, and so known to who meets it again, or has not been.
 *
 * Where a command of the partition is on its way over the log, later ones go there too: none overtakes another.
 */
export class DirectCommands {
  readonly #boxes = new Map<number, Mailbox<CommandMessage>>();
  /** Taken this way and not answered, in order, by partition and id. */
  readonly #direct = new Map<number, Map<string, Sent>>();
  /** On their way over the log, by partition. */
  readonly #logged = new Map<number, Set<string>>();
  readonly #parts: DirectParts;

  constructor(parts: DirectParts) {
    this.#parts = parts;
  }

  /** A coordinator takes what comes for its partition. */
  listen(
    context: Pick<ProcessContext<never, never>, 'partition' | 'mailbox'>,
    take: (message: CommandMessage, sender: DirectSender) => void,
  ): void {
    const { partition } = context;
    const { told } = this.#parts;
    /** By the ids of the commands that they answer; of steps that are undone too. */
    const decided = new Map<string, Told>();
    context.mailbox<CommandMessage>({
      opened: (box) => void this.#boxes.set(partition, box),
      closed: () => {
        decided.clear();
        this.#closed(partition);
      },
      take: (message) => {
        const { id } = message;
        const sent = this.#direct.get(partition)?.get(id);
        if (sent === undefined) return;
        // nodes are handed parts of it, and it may have to be taken once more
        take(commandCopy(message).value, {
          giveBack: () => this.#giveBack(partition, id),
          decided: (step) => {
            if (told !== undefined && !sent.isKept) decided.set(id, toldOf(id, step));
          },
        });
      },
      refuse: ({ id }) => {
        decided.delete(id);
        this.#giveBack(partition, id);
      },
      committed: ({ id }) => {
        const answer = decided.get(id);
        decided.delete(id);
        if (answer !== undefined) told!(answer);
      },
    });
  }

  #closed(partition: number): void {
    this.#boxes.delete(partition);
    const left = this.#direct.get(partition);
    this.#direct.delete(partition);
    for (const sent of left?.values() ?? []) this.#log(sent);
  }

  /** Whichever way is open. */
  send(sent: Sent): void {
    const { id, partition, message, characters, at } = sent;
    const box = this.#boxes.get(partition);
    if (box === undefined || this.#logged.has(partition) || characters > MOST_CHARACTERS) {
      this.#log(sent);
      return;
    }
    let direct = this.#direct.get(partition);
    if (direct === undefined) {
      direct = new Map();
      this.#direct.set(partition, direct);
    }
    direct.set(id, sent);
    box.post(message, at);
  }

  /** With all that was posted behind it. */
  #giveBack(partition: number, id: string): void {
    const direct = this.#direct.get(partition);
    if (!direct?.has(id)) return;
    let isBehind = false;
    for (const [each, sent] of direct) {
      isBehind ||= each === id;
      if (!isBehind) continue;
      direct.delete(each);
      this.#log(sent);
    }
  }

  /** It was answered, or nobody waits any more. */
  over({ partition, id }: Pick<Sent, 'partition' | 'id'>): void {
    this.#direct.get(partition)?.delete(id);
    const logged = this.#logged.get(partition);
    if (logged?.delete(id) && logged.size === 0) this.#logged.delete(partition);
  }

  #log(sent: Sent): void {
    let logged = this.#logged.get(sent.partition);
    if (logged === undefined) {
      logged = new Set();
      this.#logged.set(sent.partition, logged);
    }
    logged.add(sent.id);
    this.#parts.toLog(sent);
  }
}
