import { createHash } from 'node:crypto';
import { aborted } from '../../core/aborted.ts';
import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { uniqueId } from '../../core/random.ts';
import type { DocumentFault } from '../document.ts';
import { inputFaults } from '../judge-input.ts';
import { isSessionAddress } from '../sessions/sessions.ts';
import { startCommand } from '../start-command.ts';
import type { Definition, Outcome, RunOptions, Started, StartOptions } from '../workflows.ts';
import { type Catalogue, storedOf } from './catalogue.ts';
import { type Commands, rejection } from './commands.ts';
import type { Ends, Following } from './ends.ts';
import { newExecutionId } from './execution-ids.ts';
import type { CommandMessage } from './messages.ts';
import type { Sender } from './sender.ts';

export interface StartsParts {
  readonly catalogue: Pick<Catalogue, 'find'>;
  readonly commands: Pick<Commands, 'send'>;
  readonly sender: Pick<Sender, 'sendToAll'>;
  readonly ends: Pick<Ends, 'follow' | 'outcome'>;
  readonly clock: Clock;
  /** Fails where there is none. */
  definition(workflow: string, version: string | undefined): Promise<Definition>;
}

/** What an execution goes on from. */
export type From = NonNullable<Parameters<typeof startCommand>[3]>;

/** Begins executions. */
export class Starts {
  readonly #parts: StartsParts;

  constructor(parts: StartsParts) {
    this.#parts = parts;
  }

  async start(workflow: string, input: Json, options: StartOptions, from: From): Promise<Started> {
    const definition = await this.#fitting(workflow, input, options);
    const execution = this.#name(workflow, options);
    const existing = await this.#begin(execution, definition, input, options, from, true);
    return { execution, definition, existing };
  }

  async run(workflow: string, input: Json, options: RunOptions): Promise<Outcome> {
    const definition = await this.#fitting(workflow, input, options);
    const execution = this.#name(workflow, options);
    const following = this.#parts.ends.follow(execution);
    try {
      const existing = await this.#begin(execution, definition, input, options, { forkOf: null }, false);
      const { status, degraded, output, error } = await this.#ended(execution, existing, following, options.signal);
      return { execution, status, degraded, output, error };
    } finally {
      following.stop();
    }
  }

  #ended(execution: string, existing: boolean, { ended, heed }: Following, signal: AbortSignal | undefined) {
    // it may have ended before anybody followed
    if (existing) return this.#parts.ends.outcome(execution, signal);
    heed();
    return signal === undefined ? ended : Promise.race([ended, aborted(signal)]);
  }

  /** The definition that the input fits. */
  async #fitting(workflow: string, input: Json, { version }: StartOptions): Promise<Definition> {
    const { catalogue } = this.#parts;
    const definition = catalogue.find(workflow, version) ?? (await this.#parts.definition(workflow, version));
    const faults = inputFaults(definition.document, input);
    if (faults.length > 0) throw unfit(workflow, faults);
    return definition;
  }

  #name(workflow: string, options: StartOptions): string {
    const { clock } = this.#parts;
    const { idempotencyKey = null } = options;
    const execution =
      options.execution ?? (idempotencyKey === null ? newExecutionId(clock.now()) : idOf(workflow, idempotencyKey));
    if (execution.includes('/') || execution.includes('\0')) {
      throw new FlowError('workflow.rejected', `the execution id ${execution} holds "/", which stands before children`);
    }
    if (isSessionAddress(execution)) {
      throw new FlowError(
        'workflow.rejected',
        `the execution id ${execution} begins as those of sessions; take another`,
      );
    }
    return execution;
  }

  /** Answers whether it was there already. `isKept`: its end may be asked for as soon as it has begun. */
  async #begin(
    execution: string,
    definition: Definition,
    input: Json,
    options: StartOptions,
    from: From,
    isKept: boolean,
  ): Promise<boolean> {
    const { commands, sender, clock } = this.#parts;
    const { id, version, document } = definition;
    const command = startCommand(document, input, options, from);
    const message = (): CommandMessage => ({ x: execution, w: id, v: version, c: command, id: uniqueId() });
    let { rejected } = await commands.send(message(), isKept);
    if (rejected?.code === 'workflow.unknown-definition') {
      // whoever published it was cut short before every partition had it
      await sender.sendToAll(`${id}@${version}`, { define: storedOf(definition) }, clock.now());
      ({ rejected } = await commands.send(message(), isKept));
    }
    if (rejected !== undefined && rejected.code !== 'workflow.exists') throw rejection(rejected);
    return rejected !== undefined;
  }
}

function idOf(workflow: string, key: string): string {
  return createHash('sha256').update(`${workflow}\0${key}`).digest('hex').slice(0, 24);
}

function unfit(workflow: string, faults: readonly DocumentFault[]): FlowError {
  const lines = faults.map(({ pointer, message, cure }) => `${pointer} ${message}; ${cure}`);
  const text = `the input does not fit workflow ${workflow}:\n${lines.join('\n')}`;
  return Object.assign(new FlowError('workflow.input', text), { faults });
}
