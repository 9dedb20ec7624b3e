import type { Clock } from '../../core/clock.ts';
import { ERRORS, type ErrorCode, FlowError } from '../../core/errors.ts';
import { uniqueId } from '../../core/random.ts';
import type { Command } from '../lifecycle/lifecycle.ts';
import type { Answer, CommandOptions } from '../workflows.ts';
import type { Answers, Taken } from './answers.ts';
import type { DirectCommands, Sent } from './direct-commands.ts';
import { partitionOf } from './history.ts';
import { type CommandMessage, commandCopy, rootOf } from './messages.ts';

export interface CommandsParts {
  readonly direct: DirectCommands;
  readonly answers: Answers;
  readonly clock: Clock;
  readonly partitions: number;
}

/** Sends commands and waits for their answers. */
export class Commands {
  readonly #parts: CommandsParts;

  constructor(parts: CommandsParts) {
    this.#parts = parts;
  }

  /** Answers whatever came of it. `isKept`: of a start, whether its end may be asked for as it is answered. */
  send(message: CommandMessage, isKept = true): Promise<Taken> {
    const { direct, answers, clock, partitions } = this.#parts;
    const { id, x } = message;
    const copy = commandCopy(message);
    const sent: Sent = {
      id,
      root: rootOf(x),
      partition: partitionOf(x, partitions),
      message: copy.value,
      characters: copy.characters,
      at: clock.now(),
      isKept,
    };
    const taken = answers.to(id, isKept);
    direct.send(sent);
    const over = () => direct.over(sent);
    taken.then(over, over);
    return taken;
  }

  /** Fails where the command was rejected. */
  async command(execution: string, command: Command, options: CommandOptions = {}): Promise<Answer> {
    const { id = uniqueId(), by } = options;
    const taken = await this.send({ x: execution, c: command, id, ...(by === undefined ? {} : { by }) });
    if (taken.rejected !== undefined && taken.rejected.code !== 'workflow.duplicate') throw rejection(taken.rejected);
    return { execution, seq: taken.seq };
  }
}

export function rejection({ code, why }: NonNullable<Taken['rejected']>): FlowError {
  return new FlowError(code in ERRORS ? (code as ErrorCode) : 'workflow.rejected', why);
}
