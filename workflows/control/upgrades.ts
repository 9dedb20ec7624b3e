import type { Clock } from '../../core/clock.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import { uniqueId } from '../../core/random.ts';
import type { Next } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import type { Graph } from '../graph.ts';
import { inputFaults } from '../judge-input.ts';
import {
  begunSegments,
  continuation,
  firstOf,
  type Header,
  keptChildren,
  type Lifecycle,
  openChildren,
  type Rows,
  successor,
} from '../lifecycle/lifecycle.ts';
import { forgetSegment, segmentName } from '../segments/segments.ts';
import { unfitSegment } from '../segments/take-up.ts';
import type { Answer, CommandOptions, Definition, Started } from '../workflows.ts';
import { type Catalogue, storedOf } from './catalogue.ts';
import { type Commands, rejection } from './commands.ts';
import type { GraphCache } from './definition-rows.ts';
import type { Ends } from './ends.ts';
import { type Inspector, unknownExecution } from './inspector.ts';
import { publishedGraph } from './known-graphs.ts';
import { keptRuns } from './leftovers.ts';
import type { Folded } from './memory-rows.ts';
import { rootOf } from './messages.ts';
import { FORGETTING, FORGOTTEN } from './savepoints.ts';
import type { Sender } from './sender.ts';

export interface UpgradesParts {
  readonly log: Log;
  readonly directory: string | undefined;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly graphs: GraphCache;
  readonly catalogue: Catalogue;
  readonly commands: Commands;
  readonly sender: Sender;
  readonly inspector: Inspector;
  readonly ends: Ends;
  definition(workflow: string, version: string): Promise<Definition>;
}

/** How long whoever forgets waits until all is removed. */
const GONE_MS = 30_000;
const GONE_LOOK_MS = 20;

type UpgradeOptions = CommandOptions & { readonly version: string };

/** Lets executions go on in other versions, from a savepoint; or forgets what they kept there. */
export class Upgrades {
  readonly #parts: UpgradesParts;

  constructor(parts: UpgradesParts) {
    this.#parts = parts;
  }

  async upgrade(execution: string, options: UpgradeOptions): Promise<Started> {
    const { commands, ends, lifecycle } = this.#parts;
    const found = await this.#mustHave(execution);
    const header = found.rows.header()!;
    const definition = await this.#parts.definition(header.workflow, options.version);
    const faults = inputFaults(definition.document, header.input);
    if (faults.length > 0) {
      const [{ pointer, message, cure }] = faults as [(typeof faults)[0]];
      throw unfit(`its input does not fit version ${definition.version}: ${pointer} ${message}; ${cure}`);
    }
    if (header.phase === 'ended') return this.#goOn(found, definition, options);
    if (header.savepoint === null) {
      const graph = await this.#graph(definition);
      const next = { ...nextOf(definition, graph), segments: judged(lifecycle, found, graph) };
      await this.#define(execution, definition);
      try {
        await commands.command(execution, { type: 'savepoint', next }, options);
      } catch (thrown) {
        // of one that has ended meanwhile: whether it was by a savepoint
        if (!isFlowError(thrown, 'workflow.ended')) throw thrown;
      }
    }
    await ends.ended(execution);
    const { existing: _, ...started } = await this.#goOn(await this.#mustHave(execution), definition, options);
    return { ...started, existing: false };
  }

  async forget(execution: string, { id = uniqueId(), by }: CommandOptions = {}): Promise<Answer> {
    const { commands, inspector, log, directory } = this.#parts;
    const { rows, graph } = await this.#mustHave(execution);
    const command = { type: 'forget' } as const;
    const { rejected } = await commands.send({ x: execution, c: command, id, ...(by === undefined ? {} : { by }) });
    const header = rows.header()!;
    const runs = keptRuns(rows, graph);
    if (rejected?.code === FORGETTING) {
      await this.#gone(execution, runs);
      return { execution, seq: 0 };
    }
    if (rejected?.code !== FORGOTTEN) {
      if (header.savepoint === null) throw rejection({ code: 'workflow.no-savepoint', why: kept(header) });
      const next = await inspector.now(successor(header));
      if (next !== undefined) throw rejection({ code: 'workflow.no-savepoint', why: kept(header) });
    }
    // whoever took the word before may have been cut short
    for (const run of runs) await forgetSegment({ log, directory }, run);
    return { execution, seq: 0 };
  }

  /** Until what runs have left is gone, which whoever has the execution takes away. */
  async #gone(execution: string, runs: readonly string[]): Promise<void> {
    const { log, clock } = this.#parts;
    const isOfOne = (topic: string) =>
      runs.some((run) => topic.startsWith(`${run}.`) || topic.startsWith(`nf.${run}.`));
    const giveUpAt = clock.monotonic() + GONE_MS;
    while ((await log.admin.list()).some(isOfOne)) {
      if (clock.monotonic() > giveUpAt) {
        const what = `what ${execution} has kept is forgotten, and not all of it is removed yet`;
        throw new FlowError('workflow.unanswered', `${what}: this goes on by itself`);
      }
      await clock.sleep(GONE_LOOK_MS);
    }
  }

  /** From where it has ended. */
  async #goOn(found: Folded, definition: Definition, { id = uniqueId(), by }: UpgradeOptions): Promise<Started> {
    const { commands, inspector, lifecycle } = this.#parts;
    const { rows, graph } = found;
    const header = rows.header()!;
    const { execution, workflow } = header;
    if (header.savepoint === null) throw new FlowError('workflow.ended', `${execution} has ended, and kept nothing`);
    const name = successor(header);
    const there = (await inspector.now(name))?.rows.header();
    if (there !== undefined) {
      if (there.version === definition.version) return { execution: name, definition, existing: true };
      const what = `${execution} has gone on as ${name}, in version ${there.version}: upgrade that one`;
      throw new FlowError('workflow.ended', what);
    }
    const target = await this.#graph(definition);
    const why = Object.values(judged(lifecycle, found, target)).find((each) => each !== null);
    if (why !== undefined) throw unfit(why!);
    const { command } = continuation(rows, graph, nextOf(definition, target));
    await this.#define(execution, definition);
    const from = by === undefined ? {} : { by };
    const { rejected } = await commands.send({ x: name, w: workflow, v: definition.version, c: command, id, ...from });
    if (rejected !== undefined && rejected.code !== 'workflow.exists') throw rejection(rejected);
    return { execution: name, definition, existing: rejected !== undefined };
  }

  async #mustHave(execution: string): Promise<Folded> {
    const found = await this.#parts.inspector.now(execution);
    if (found === undefined) throw unknownExecution(execution);
    return found;
  }

  #graph({ hash }: Definition): Promise<Graph> {
    return publishedGraph(this.#parts.catalogue, this.#parts.graphs, hash);
  }

  /** Whoever published it may have been cut short before the partition had it. */
  async #define(execution: string, definition: Definition): Promise<void> {
    const { sender, clock } = this.#parts;
    await sender.sendTo(rootOf(execution), { define: storedOf(definition) }, clock.now());
  }
}

/** Why the next graph cannot take up what has begun, by the id of the node that stands for it; null where it can. */
function judged(lifecycle: Lifecycle, { rows, graph }: Folded, next: Graph): { readonly [id: string]: string | null } {
  const header = rows.header()!;
  const found: { [id: string]: string | null } = {};
  for (const at of begunSegments(rows, graph)) {
    if (at.iteration !== '') continue;
    const { id } = graph.nodes[at.node]!;
    const name = segmentName(firstOf(header), id);
    const values = lifecycle.inputs(rows, graph, at.node);
    found[id] = unfitSegment(id, { from: graph, to: next }, { name, input: header.input, values });
  }
  for (const id of waitingForChildren(rows, graph)) found[id] = unfitChild(id, next);
  return found;
}

function nextOf({ version }: Definition, graph: Graph): Next {
  const nodes = graph.nodes.filter(({ parent, removed }) => parent < 0 && !removed).map(({ id }) => id);
  return { version, nodes };
}

/** Nodes at the top that wait for executions which they have started, or did at the savepoint. */
function waitingForChildren(rows: Rows, graph: Graph): Iterable<string> {
  const open = [...openChildren(rows)].flatMap(({ at }) => (at.iteration === '' ? [graph.nodes[at.node]!.id] : []));
  return new Set([...open, ...Object.keys(keptChildren(rows, graph))]);
}

function unfitChild(id: string, next: Graph): string | null {
  const node = next.nodes[next.number(id) ?? -1];
  const isOne = node?.type.behaviour.kind === 'child' && node.parent < 0 && !node.removed && !node.disabled;
  const what = `${id} waits for an execution that it has started, which would go on`;
  return isOne
    ? null
    : `${what}, and is no such node in version ${next.document.version}: keep it there, or let that end first`;
}

function kept(header: Header): string {
  const { execution, savepoint } = header;
  if (savepoint === null) return `${execution} has kept nothing at a savepoint`;
  return `${execution} has gone on as ${successor(header)}, which has what it kept`;
}

function unfit(why: string): FlowError {
  return new FlowError('workflow.not-upgradable', why);
}
