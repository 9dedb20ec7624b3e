import { aborted } from '../../core/aborted.ts';
import type { Clock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import type { Json, Millis } from '../../core/ids.ts';
import { uniqueId } from '../../core/random.ts';
import { NodeFailure } from '../errors/node-failure.ts';
import { inputFaults } from '../judge-input.ts';
import { type Command, sized } from '../lifecycle/lifecycle.ts';
import type { RecordStart } from '../segments/segments.ts';
import { startCommand } from '../start-command.ts';
import type { Definition } from '../workflows.ts';
import type { Ended, Taken } from './answers.ts';
import { type Catalogue, storedOf } from './catalogue.ts';
import type { Commands } from './commands.ts';
import type { Ends, Following } from './ends.ts';
import type { CommandMessage } from './messages.ts';
import type { Sender } from './sender.ts';

/** Between two tries of what may not be now: at first, and at most. */
const FIRST_WAIT_MS: Millis = 100;
const LONGEST_WAIT_MS: Millis = 5000;
/** How long a start waits for others of its root to end, before its record fails. */
const ROOM_MS: Millis = 60_000;

export interface RecordStartsParts {
  readonly catalogue: Pick<Catalogue, 'find' | 'refresh'>;
  readonly commands: Pick<Commands, 'send'>;
  readonly sender: Pick<Sender, 'sendToAll'>;
  /** Known when all is open. */
  readonly ends: Promise<Pick<Ends, 'outcome' | 'follow'>>;
  readonly clock: Clock;
  /** That an execution is in, by its rows; undefined: there are none. */
  phase(execution: string): Promise<string | undefined>;
}

/** Whose records they are. */
export interface RecordsOf {
  readonly execution: string;
  readonly iteration: string;
  /** How the ids of what a node starts begin. */
  ids(node: number): string;
  /** Aborted: its segment is over, or goes on elsewhere. */
  readonly signal: AbortSignal;
  /** Settled when what was started from here has ended, whatever became of the call. */
  readonly open: Set<Promise<void>>;
}

/**
 * Starts executions for records, and waits for what they answer; see `StartForRecord`. A start that is sent again meets
 * the execution that is there. What is no answer of it (the engine stops, its parent ends) settles nothing: the record
 * stays in flight for who goes on, or goes with its run.
 */
export class RecordStarts {
  readonly #parts: RecordStartsParts;

  constructor(parts: RecordStartsParts) {
    this.#parts = parts;
  }

  /** The signal is that of the call, which is given up with its task. */
  async run(of: RecordsOf, start: RecordStart, signal: AbortSignal): Promise<Json> {
    const child = `${of.ids(start.node)}${start.record}`;
    const definition = await this.#definition(start, child);
    const following = (await this.#parts.ends).follow(child);
    following.heed();
    const beginning = this.#begin(of, start, child, definition, signal);
    const over = untilOver(beginning, following).finally(() => of.open.delete(over));
    of.open.add(over);
    const how = await beginning;
    let ended: Ended | undefined;
    if (how === 'begun') ended = await Promise.race([following.ended.catch(() => undefined), aborted(signal)]);
    if (how !== 'not') ended = await this.#judged(of, child, ended, signal);
    if (ended === undefined) return aborted(signal);
    if (ended.status === 'COMPLETED') return ended.output;
    const { error } = ended;
    if (ended.status === 'CANCELLED')
      throw new NodeFailure('USER', 'workflow.child-cancelled', `${child} was cancelled`);
    if (error === null) throw failed('workflow.child-failed', `${child} failed`);
    throw new NodeFailure(error.class, error.code, `${child} failed: ${error.message}`);
  }

  async #definition({ workflow, version, input }: RecordStart, child: string): Promise<Definition> {
    const { catalogue } = this.#parts;
    let found = catalogue.find(workflow, version);
    if (found === undefined) {
      await catalogue.refresh();
      found = catalogue.find(workflow, version);
    }
    if (found === undefined) {
      const what = version === undefined ? `workflow ${workflow}` : `version ${version} of workflow ${workflow}`;
      throw failed('workflow.unknown-definition', `there is no ${what}; publish it first`);
    }
    if (found.document.mode === 'streaming') {
      throw failed('workflow.rejected', `${workflow} goes on until somebody ends it, and a record wants an answer`);
    }
    const { error } = sized(input, `the input of ${child}`, 'give a reference', '');
    if (error !== undefined) throw failed(error.code, error.message);
    const faults = inputFaults(found.document, input);
    if (faults.length === 0) return found;
    const lines = faults.map(({ pointer, message, cure }) => `${pointer} ${message}; ${cure}`);
    throw failed('workflow.input', `the input of ${child} does not fit workflow ${workflow}: ${lines.join('; ')}`);
  }

  /** `there`: it was before, and may have ended. `not`: nothing is to begin any more. */
  async #begin(
    { execution, iteration }: RecordsOf,
    { node, input, timeoutMs }: RecordStart,
    child: string,
    definition: Definition,
    signal: AbortSignal,
  ): Promise<'begun' | 'there' | 'not'> {
    const { sender, clock } = this.#parts;
    const { id, version, document } = definition;
    const options = { deadline: clock.now() + timeoutMs };
    const parent = { execution, node, iteration };
    const command = { ...startCommand(document, input, options), parent, forRecord: true } as Command;
    const since = clock.monotonic();
    const message = () => ({ x: child, w: id, v: version, c: command, id: uniqueId() });
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(LONGEST_WAIT_MS, 2 * wait)) {
      const taken = await this.#sent(message());
      switch (taken?.rejected?.code) {
        case undefined:
          if (taken !== undefined) return 'begun';
          break;
        case 'workflow.exists':
          return 'there';
        case 'workflow.unknown-definition':
          // whoever published it was cut short before every partition had it
          await sender.sendToAll(`${id}@${version}`, { define: storedOf(definition) }, clock.now());
          break;
        case 'workflow.paused':
          do await clock.sleep(wait, signal);
          while (!signal.aborted && (await this.#phase(execution)) === 'paused');
          break;
        case 'workflow.too-many':
          // they may wait for this one
          if (clock.monotonic() - since < ROOM_MS) break;
          throw refused(child, taken!);
        case 'workflow.stale':
        case 'workflow.ended':
          return 'not';
        default:
          throw refused(child, taken!);
      }
      await clock.sleep(wait, signal);
    }
    return 'not';
  }

  /** Undefined: there is no answer, and it may have had an effect. */
  async #sent(message: CommandMessage): Promise<Taken | undefined> {
    try {
      return await this.#parts.commands.send(message, false);
    } catch {
      return undefined;
    }
  }

  /** Its end, where it is not known yet too; undefined: it is cancelled because its parent is. */
  async #judged(
    { execution, signal: whole }: RecordsOf,
    child: string,
    known: Ended | undefined,
    signal: AbortSignal,
  ): Promise<Ended | undefined> {
    const ended = known ?? (await this.#ended(child, signal));
    if (ended?.status !== 'CANCELLED') return ended;
    const phase = whole.aborted ? undefined : await this.#phase(execution);
    return phase === 'running' || phase === 'paused' ? ended : undefined;
  }

  async #ended(child: string, signal: AbortSignal): Promise<Ended | undefined> {
    const ends = await this.#parts.ends;
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(LONGEST_WAIT_MS, 2 * wait)) {
      try {
        return await ends.outcome(child, signal);
      } catch (thrown) {
        if (isFlowError(thrown, 'workflow.unknown-execution')) throw thrown;
      }
      await this.#parts.clock.sleep(wait, signal);
    }
    return undefined;
  }

  async #phase(execution: string): Promise<string | undefined> {
    return this.#parts.phase(execution).catch(() => undefined);
  }
}

async function untilOver(beginning: Promise<string>, { ended, stop }: Following): Promise<void> {
  try {
    if ((await beginning) === 'begun') await ended;
  } catch {
    // it was refused, or the engine stops
  } finally {
    stop();
  }
}

function refused(child: string, { rejected }: Taken): NodeFailure {
  return failed(rejected!.code, `${child}: ${rejected!.why}`);
}

function failed(code: string, message: string): NodeFailure {
  return new NodeFailure('PERMANENT', code, message);
}
