import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Json, Millis, Position } from '../../core/ids.ts';
import { uniqueId } from '../../core/random.ts';
import type { EventFeed, GraphNames, StepRecord } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import type { Health, LetterPage, Run } from '../../runtime/runtime.ts';
import type { Catalog } from '../catalog.ts';
import type { DocumentFault } from '../document.ts';
import type { Graph } from '../graph.ts';
import type { Language } from '../language.ts';
import { LetterDesk } from '../letters/letter-desk.ts';
import { type Command, type Explanation, type Lifecycle, outputsOf, type PatchOp } from '../lifecycle/lifecycle.ts';
import { portSchemas } from '../port-schemas.ts';
import type {
  Answer,
  Backfilled,
  CommandOptions,
  Definition,
  ExecutionView,
  Intervention,
  LetterQuery,
  LetterView,
  Outcome,
  OutputView,
  RedriveLetter,
  RedriveMany,
  RedrivenLetter,
  RedrivenPage,
  RunOptions,
  ScheduleView,
  SessionView,
  Started,
  StartOptions,
  WholeLetter,
  WorkflowFigures,
  Workflows,
} from '../workflows.ts';
import type { Answers } from './answers.ts';
import { type Catalogue, storedOf } from './catalogue.ts';
import type { Commands } from './commands.ts';
import type { GraphCache } from './definition-rows.ts';
import { Ends } from './ends.ts';
import { Inspector, unknownExecution } from './inspector.ts';
import { startedFaults } from './judge-started.ts';
import { publishedGraph } from './known-graphs.ts';
import type { Folded } from './memory-rows.ts';
import { outputAt } from './outputs.ts';
import { ScheduleDesk } from './schedule-desk.ts';
import type { Sender } from './sender.ts';
import { SessionDesk } from './session-desk.ts';
import { Starts } from './starts.ts';
import { executionOfToken } from './tokens.ts';
import { Upgrades } from './upgrades.ts';

export interface FacadeParts {
  readonly log: Log;
  /** Of the local stores. */
  readonly directory: string | undefined;
  readonly clock: Clock;
  readonly language: Language;
  readonly lifecycle: Lifecycle;
  readonly graphs: GraphCache;
  readonly catalogue: Catalogue;
  readonly answers: Answers;
  readonly sender: Sender;
  readonly commands: Commands;
  readonly run: Run;
  readonly partitions: number;
  readonly feed: EventFeed;
  names(definition: string): GraphNames;
  place?(execution: string): Promise<{ readonly first: Position } | undefined>;
  figures(): WorkflowFigures;
  stopCalls(): Promise<void>;
}

export class Facade implements Workflows {
  readonly catalog: Catalog;
  readonly feed: EventFeed;
  readonly figures: () => WorkflowFigures;
  readonly #parts: FacadeParts;
  readonly #inspector: Inspector;
  readonly ends: Ends;
  readonly #starts: Starts;
  readonly #desk: ScheduleDesk;
  readonly #upgrades: Upgrades;
  readonly #sessions: SessionDesk;
  readonly #letters: LetterDesk;

  constructor(parts: FacadeParts) {
    this.#parts = parts;
    this.catalog = parts.language.catalog;
    this.feed = parts.feed;
    this.figures = parts.figures;
    this.#inspector = new Inspector(parts);
    this.ends = new Ends({ ...parts, inspector: this.#inspector });
    this.#starts = new Starts({
      ...{ ...parts, ends: this.ends },
      definition: (id, version) => this.#mustHave(id, version),
    });
    this.#upgrades = new Upgrades({
      ...{ ...parts, inspector: this.#inspector, ends: this.ends },
      definition: (id, version) => this.#mustHave(id, version),
    });
    this.#sessions = new SessionDesk({
      ...parts,
      hasEnded: async (execution) => (await this.#inspector.view(execution))?.phase === 'ended',
    });
    this.#letters = new LetterDesk({ ...parts, look: (execution) => this.#inspector.view(execution) });
    const start: Workflows['start'] = (...start) => this.start(...start);
    this.#desk = new ScheduleDesk({ ...parts, start, definition: (id) => this.#mustHave(id, undefined) });
  }

  names(definition: string): GraphNames {
    return this.#parts.names(definition);
  }

  health(): Health {
    return this.#parts.run.health();
  }

  validate(document: unknown): readonly DocumentFault[] {
    return this.#parts.language.validate(document);
  }

  async publish(document: unknown, by?: string): Promise<Definition> {
    const { language, catalogue, sender, clock } = this.#parts;
    const faults = language.validate(document);
    if (faults.length > 0) throw invalid(faults);
    const { hash, document: compiled } = language.compile(document as Json);
    const missing = await startedFaults(compiled, language.catalog, {
      find: (id, version) => this.definition(id, version),
      ids: catalogue.all.map(({ id }) => id),
    });
    if (missing.length > 0) throw invalid(missing);
    const { id, version } = compiled;
    const at = clock.now();
    const definition = await catalogue.publish({
      ...{ id, version, hash, document: document as Json, publishedAt: at, publishedBy: by ?? null },
    });
    await sender.sendToAll(`${id}@${version}`, { define: storedOf(definition) }, at);
    await this.#desk.announce(id);
    return definition;
  }

  async definitions(): Promise<readonly Definition[]> {
    await this.#parts.catalogue.refresh();
    return this.#parts.catalogue.all;
  }

  async definition(id: string, version?: string): Promise<Definition | undefined> {
    const { catalogue } = this.#parts;
    const found = catalogue.find(id, version);
    if (found !== undefined) return found;
    await catalogue.refresh();
    return catalogue.find(id, version);
  }

  start(workflow: string, input: Json, options: StartOptions = {}): Promise<Started> {
    return this.#starts.start(workflow, input, options, { forkOf: null });
  }

  run(workflow: string, input: Json, options: RunOptions = {}): Promise<Outcome> {
    return this.#starts.run(workflow, input, options);
  }

  signal(execution: string, name: string, payload: Json, options?: CommandOptions): Promise<Answer> {
    const id = options?.id ?? uniqueId();
    return this.#command(execution, { type: 'signal', name, id, payload }, { ...options, id });
  }

  approve(token: string, decision: 'approved' | 'rejected', value: Json, options?: CommandOptions): Promise<Answer> {
    return this.#command(executionOfToken(token), { type: 'approve', token, decision, value }, options);
  }

  cancel(
    execution: string,
    options: CommandOptions & { readonly reason?: string; readonly node?: string } = {},
  ): Promise<Answer> {
    const { reason = 'cancelled', node = null } = options;
    return this.#command(execution, { type: 'cancel', reason, node }, options);
  }

  end(execution: string, options?: CommandOptions): Promise<Answer> {
    return this.#command(execution, { type: 'end' }, options);
  }

  savepoint(execution: string, options?: CommandOptions): Promise<Answer> {
    return this.#command(execution, { type: 'savepoint', next: null }, options);
  }

  upgrade(execution: string, options: CommandOptions & { readonly version: string }): Promise<Started> {
    return this.#upgrades.upgrade(execution, options);
  }

  forget(execution: string, options?: CommandOptions): Promise<Answer> {
    return this.#upgrades.forget(execution, options);
  }

  pause(execution: string, options?: CommandOptions): Promise<Answer> {
    return this.#command(execution, { type: 'pause' }, options);
  }

  resume(execution: string, options?: CommandOptions): Promise<Answer> {
    return this.#command(execution, { type: 'resume' }, options);
  }

  retryFrom(execution: string, node: string, options?: CommandOptions): Promise<Answer> {
    return this.#command(execution, { type: 'retry-from', node }, options);
  }

  intervene(execution: string, node: string, what: Intervention, options?: CommandOptions): Promise<Answer> {
    const { action, iteration = '' } = what;
    const input = what.action === 'retry' ? what.input : undefined;
    const value = what.action === 'output' ? what.value : (input ?? null);
    const given = input === undefined ? {} : ({ given: true } as const);
    return this.#command(execution, { type: 'intervene', node, iteration, action, value, ...given }, options);
  }

  patch(execution: string, baseRevision: number, ops: readonly PatchOp[], options?: CommandOptions): Promise<Answer> {
    return this.#command(execution, { type: 'patch', baseRevision, ops }, options);
  }

  deadLetters(query?: LetterQuery): Promise<LetterPage<LetterView>> {
    return this.#letters.list(query);
  }

  deadLetter(id: string, { raw = false }: { readonly raw?: boolean } = {}): Promise<WholeLetter> {
    return this.#letters.show(id, raw);
  }

  redrive(deadLetter: string, options?: RedriveLetter): Promise<RedrivenLetter> {
    return this.#letters.redrive(deadLetter, options);
  }

  redriveAll(query: LetterQuery, options?: RedriveMany): Promise<RedrivenPage> {
    return this.#letters.redriveAll(query, options);
  }

  async fork(execution: string, seq: number, options: StartOptions = {}): Promise<Started> {
    const at = await this.#inspector.at(execution, seq);
    if (at === undefined) throw unknownExecution(execution);
    const { workflow, version, labels, user, mode, input, seq: last } = at.rows.header()!;
    const kept = { version, labels, mode, ...(user === null ? {} : { user }) };
    const outputs = outputsOf(at.rows, at.graph, () => true);
    return this.#starts.start(workflow, input, { ...kept, ...options }, { forkOf: { execution, seq: last }, outputs });
  }

  /** To be called once, when it is opened. */
  announceSchedules(): Promise<void> {
    return this.#desk.announceAll();
  }

  schedules(): Promise<readonly ScheduleView[]> {
    return this.#desk.list();
  }

  backfill(
    workflow: string,
    from: Millis,
    until: Millis,
    options?: { readonly user?: string },
  ): Promise<readonly Backfilled[]> {
    return this.#desk.backfill(workflow, from, until, options);
  }

  execution(id: string): Promise<ExecutionView | undefined> {
    return this.#inspector.view(id);
  }

  executionAt(id: string, seq: number): Promise<ExecutionView | undefined> {
    return this.#inspector.viewAt(id, seq);
  }

  history(id: string): Promise<readonly StepRecord[]> {
    return this.#inspector.history(id);
  }

  async explain(execution: string, node: string, iteration = ''): Promise<Explanation> {
    const { lifecycle, clock } = this.#parts;
    const show = () => this.#mustShow(execution);
    const explained = ({ rows, graph }: Folded, holder?: NonNullable<SessionView['holder']>) =>
      lifecycle.explain(rows, graph, node, iteration, clock.now(), holder);
    const found = await show();
    if (found.rows.header()?.session?.isHeld !== false) return explained(found);
    const holder = await this.#sessions.holder(execution, async () => (await show()).rows.header());
    return explained(await show(), holder);
  }

  output(reference: string): Promise<OutputView | undefined> {
    return outputAt(reference, this.#inspector, async (definition) => {
      await this.#base(definition);
      return this.names(definition);
    });
  }

  async schemas(definition: string): Promise<{ readonly [id: string]: Json }> {
    return portSchemas(await this.#base(definition)).byId;
  }

  session(name: string, id: string, { at }: { readonly at?: Millis } = {}): Promise<SessionView | undefined> {
    return at === undefined ? this.#sessions.look(name, id) : this.#sessions.view(name, id, at);
  }

  clearSession(name: string, id: string, options?: CommandOptions): Promise<void> {
    return this.#sessions.clear(name, id, options);
  }

  ended(id: string, signal?: AbortSignal): Promise<ExecutionView> {
    return this.ends.ended(id, signal);
  }

  async drain(): Promise<void> {
    const { run, answers, sender, catalogue, feed, stopCalls } = this.#parts;
    await stopCalls();
    await run.drain();
    await Promise.all([sender.close(), catalogue.close(), feed.close()]);
    answers.close();
  }

  #base(definition: string): Promise<Graph> {
    return publishedGraph(this.#parts.catalogue, this.#parts.graphs, definition);
  }

  #command(execution: string, command: Command, options?: CommandOptions): Promise<Answer> {
    return this.#parts.commands.command(execution, command, options);
  }

  async #mustShow(execution: string): Promise<Folded> {
    const found = await this.#inspector.now(execution);
    if (found === undefined) throw unknownExecution(execution);
    return found;
  }

  async #mustHave(workflow: string, version: string | undefined): Promise<Definition> {
    const found = await this.definition(workflow, version);
    if (found !== undefined) return found;
    const what = version === undefined ? `workflow ${workflow}` : `version ${version} of workflow ${workflow}`;
    throw new FlowError('workflow.unknown-definition', `there is no ${what}; publish it first`);
  }
}

function invalid(faults: readonly DocumentFault[]): FlowError {
  const lines = faults.map(({ code, pointer, message, cure }) => `${pointer} ${code}: ${message}; ${cure}`);
  return Object.assign(new FlowError('workflow.invalid', `the document has faults:\n${lines.join('\n')}`), { faults });
}
