import type { Json, Millis } from '../../core/ids.ts';
import { type Cause, encodeStep, type StepRecord } from '../../events/events.ts';
import type { KeyValueStore, ProcessContext, Processor } from '../../operators/operators.ts';
import type { Graph } from '../graph.ts';
import type { Command, Decided, Effect, Header, Lifecycle } from '../lifecycle/lifecycle.ts';
import { hasSchedule } from '../schedule-triggers.ts';
import { segmentName } from '../segments/segments.ts';
import { Callers } from './callers.ts';
import { type CountedFigures, countStep } from './count-step.ts';
import { DefinitionRows, type GraphCache } from './definition-rows.ts';
import type { DirectCommands, DirectSender } from './direct-commands.ts';
import { DoneRows } from './done-rows.ts';
import { CONTINUE, type Due, dueTimer, grant, isOfSchedule, messageOf, NOBODY, notBegun, refusal } from './due.ts';
import { Families } from './families.ts';
import { Leftovers } from './leftovers.ts';
import { letterOf, marksOf } from './letters.ts';
import { type CallMessage, type CommandMessage, type Message, rootOf, scheduleKey } from './messages.ts';
import { CONTROL_STORE, DEFINITIONS_STORE, DONE_STORE, type Out, TIMERS_STORE } from './program.ts';
import { FORGETTING, FORGOTTEN, Savepoints } from './savepoints.ts';
import { Schedules } from './schedules.ts';
import { Sessions } from './sessions.ts';
import { type Holder, holdersOver, Slots } from './slots.ts';
import { Started } from './started.ts';
import { StoredRows } from './stored-rows.ts';
import type { TaskCalls } from './task-calls.ts';
import { TimerRows } from './timer-rows.ts';

/** Steps that one command may lead to at once; what is left goes over the log. */
const MOST_STEPS = 64;
/** And bytes of their records, which are written in one batch. */
const MOST_BYTES = 1024 * 1024;
/** Timers that fire in one step of the task. */
const MOST_TIMERS = 64;

export interface CoordinatorParts {
  readonly lifecycle: Lifecycle;
  readonly graphs: GraphCache;
  readonly calls: Pick<TaskCalls, 'announce' | 'abort' | 'end' | 'process'>;
  readonly slots: (pool: string) => number;
  readonly rememberMs: number;
  /** Undefined: commands come over the log alone. */
  readonly direct?: Pick<DirectCommands, 'listen'>;
  readonly figures: CountedFigures;
}

/**
 * The keyed operator that runs executions: reads the rows of one, lets the lifecycle judge a command by them, keeps what
 * comes of it, and puts out the step record and what the step asks of the world. It reads no clock: a step's time is that
 * of its command, or of the execution's last step where that is later.
 *
 * What a step asks of executions of the same root, which are of the same partition, is done at once, in a step of its
 * own each.
 */
export class Coordinator implements Processor<string, Message, string, Out> {
  readonly #parts: CoordinatorParts;
  #context!: ProcessContext<string, Out>;
  #store!: KeyValueStore<string, Json>;
  #done!: DoneRows;
  #timers!: TimerRows;
  #definitions!: DefinitionRows;
  #slots!: Slots;
  #callers!: Callers;
  #schedules!: Schedules;
  #families!: Families;
  #savepoints!: Savepoints;
  #leftovers!: Leftovers;
  #sessions!: Sessions;
  #started!: Started;
  /** Bytes of the records of this run of steps. */
  #written = 0;

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
  }

  init(context: ProcessContext<string, Out>): void {
    this.#context = context;
    this.#store = context.store(CONTROL_STORE);
    this.#done = new DoneRows(this.#store, context.windowStore(DONE_STORE), this.#parts.rememberMs);
    const alarm = context.alarm((at, due) => this.#fire(at, due));
    this.#timers = new TimerRows(context.store(TIMERS_STORE), alarm);
    this.#definitions = new DefinitionRows(context.store(DEFINITIONS_STORE));
    const { calls, slots } = this.#parts;
    this.#slots = new Slots(this.#store, slots, calls.process);
    this.#callers = new Callers({ store: this.#store, slots: this.#slots, calls });
    this.#schedules = new Schedules({
      ...{ store: this.#store, timers: this.#timers, definitions: this.#definitions },
      send: (key, message, at) => context.forward(key, { to: 'internal', message }, at),
    });
    this.#families = new Families(this.#store);
    const send = (execution: string, out: Out, at: Millis) => context.forward(rootOf(execution), out, at);
    this.#leftovers = new Leftovers({ store: this.#store, send });
    this.#savepoints = new Savepoints(this.#store, this.#leftovers);
    this.#sessions = new Sessions({ store: this.#store, timers: this.#timers, context });
    this.#parts.direct?.listen(context, (message, sender) => this.#take(message, sender));
    this.#started = new Started(this.#store, (rows) => this.#graphOf(rows));
  }

  process(message: Message): void {
    if ('define' in message) {
      this.#definitions.put(message.define);
      if (message.schedule) this.#schedules.set(message.define, this.#context.timestamp);
      return;
    }
    if ('ofSchedule' in message) {
      const { ofSchedule: workflow, ended, again } = message;
      if (ended !== undefined) this.#schedules.ended(workflow, ended, this.#context.timestamp);
      if (again !== undefined) this.#schedules.again(workflow, again, this.#context.timestamp);
      return;
    }
    if ('session' in message) {
      this.#sessions.take(message, this.#context.timestamp);
      return;
    }
    if ('left' in message || 'cleared' in message) this.#leftovers.take(message, this.#context.timestamp);
    else if ('call' in message) this.#called(message);
    else this.#take(message);
  }

  #take(message: CommandMessage, sender?: DirectSender): void {
    this.#parts.figures.commands++;
    const { x, w, v, c, id, by = null, at = 0 } = message;
    const cause: Cause = { kind: 'command', type: c.type, id, by };
    const time = Math.max(at, this.#context.timestamp);
    this.#run([{ execution: x, workflow: w, version: v, command: c, id, by, at: time, cause, sender }]);
  }

  #called(message: CallMessage): void {
    const { x, call, id } = message;
    const command: Command = { type: 'called', node: call.n, iteration: call.i, attempt: call.a };
    const cause: Cause = { kind: 'command', type: 'called', id, by: null };
    const due = { ...NOBODY, execution: x, command, id, at: this.#context.timestamp, cause };
    const refused = this.#callers.judge(message);
    if (refused !== undefined) this.#answer(due, refused.code, refused.why);
    else if (call.do === 'take') this.#run([due]);
    else this.#answer(due, 'workflow.duplicate', 'it was taken note of');
  }

  #fire(now: Millis, since: Millis): void {
    const due = this.#timers.take(now, since, MOST_TIMERS);
    for (const each of due) {
      if (each.timer === 'schedule') {
        this.#schedules.fire(each, now);
        continue;
      }
      if (each.timer === 'expiry') {
        this.#sessions.fire(each, now);
        continue;
      }
      this.#run([dueTimer(each, now)]);
    }
  }

  #run(open: Due[]): void {
    let steps = 0;
    this.#written = 0;
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      // a savepoint is one of all that it takes along, before anything else
      const isWhole = next.command.type === 'savepoint';
      if (isWhole || (steps++ < MOST_STEPS && this.#written < MOST_BYTES)) this.#step(next, open);
      else this.#send(next);
    }
  }

  #step(due: Due, open: Due[]): void {
    const { execution } = due;
    let { command } = due;
    const rows = new StoredRows(this.#store, execution);
    const header = rows.header();
    let graph: Graph;
    if (header === undefined) {
      const found = this.#begin(due, open);
      if (found === undefined) return;
      ({ graph, command } = found);
    } else if (command.type === 'start') {
      this.#answer(due, 'workflow.exists', `it was started before`);
      return;
    } else {
      graph = this.#graphOf(rows);
    }
    const at = Math.max(rows.at, due.at);
    const envelope = { id: due.id, by: due.by, at, cause: due.cause };
    const judged = this.#savepoints.judged(command, { rows, graph }, (child) => this.#graphOf(child));
    const decided = this.#parts.lifecycle.decide(rows, graph, execution, judged, envelope);
    const { record } = decided;
    if (record === undefined) {
      if (due.cause.kind === 'command') this.#answer(due, 'workflow.duplicate', 'it was taken before');
      if (!decided.more && decided.effects.length === 0) return;
    } else {
      rows.keepPatches(record);
      if (record.revision !== graph.revision) graph = this.#graphOf(rows);
      countStep(this.#parts.figures, record);
      due.sender?.decided(record);
      const bytes = encodeStep(record);
      this.#written += bytes.length;
      this.#context.forward(rootOf(execution), { to: 'events', record: bytes }, at);
      for (const [letter, mark] of marksOf(record)) this.#context.forward(letter, { to: 'redriven', mark }, at);
    }
    const hasRun = decided.effects.some((each) => each.effect === 'run');
    if (command.type === 'grant' && !hasRun)
      this.#freed({ execution, node: command.node, iteration: command.iteration }, at, open);
    else if (record !== undefined) for (const holder of holdersOver(record, graph)) this.#freed(holder, at, open);
    const now = rows.header();
    if (record !== undefined) {
      this.#leftovers.see(record, graph, now, at);
      this.#savepoints.see(record, graph, rows, at);
    }
    rows.flush(at);
    if (now?.phase === 'ended') {
      this.#remember(now, graph, at);
      if (now.parent !== null) this.#families.leave(rootOf(execution));
    }
    this.#effects(due, decided, graph, at, open);
  }

  /** The graph of an execution that begins, and its start; undefined where it may not, which was answered. */
  #begin(due: Due, open: Due[]): { readonly graph: Graph; readonly command: Start } | undefined {
    const { execution, command, workflow, version } = due;
    const hasEnded = this.#done.has(execution, due.at);
    if (command.type !== 'start') {
      // what a timer or a task of an ended execution says is of no use to anybody
      if (due.cause.kind !== 'command' || command.type === 'report') return undefined;
      if (command.type === 'forget' && this.#forget(due)) return undefined;
      if (!hasEnded) this.#answer(due, 'workflow.unknown-execution', `${execution} is not known`);
      else this.#answer(due, 'workflow.ended', `${execution} has ended`);
      return undefined;
    }
    if (hasEnded) {
      this.#answer(due, 'workflow.exists', `${execution} has run already`);
      if (isOfSchedule(due)) this.#tellSchedule(workflow!, { ended: execution }, due.at);
      return undefined;
    }
    const wanted = workflow === undefined ? undefined : (version ?? this.#definitions.newest(workflow));
    const hash = wanted === undefined ? undefined : this.#definitions.hash(workflow!, wanted);
    const graph = hash === undefined ? undefined : this.#base(hash);
    if (graph === undefined && due.sender !== undefined) {
      // it may be on its way over the log
      due.sender.giveBack();
      return undefined;
    }
    if (graph === undefined && isOfSchedule(due)) {
      this.#tellSchedule(workflow!, { again: messageOf(due) }, due.at);
      return undefined;
    }
    if (graph === undefined) {
      const cure = 'publish it first: a start is judged by what was published before';
      const what =
        version === undefined ? `there is no workflow ${workflow}` : `workflow ${workflow} has no version ${version}`;
      this.#refuse(due, command, 'workflow.unknown-definition', `${what}; ${cure}`, open);
      return undefined;
    }
    // what a node had started was taken when it was sent
    const goesOn = command.continues !== undefined;
    if (goesOn && command.parent === null && this.#savepoints.take(command.continues.execution) === undefined) {
      const why = `${command.continues!.execution} kept nothing at a savepoint that is there still`;
      this.#answer(due, 'workflow.no-savepoint', why);
      return undefined;
    }
    const start = command.forRecord === true ? this.#started.judged(command, graph) : command;
    if ('code' in start) {
      this.#answer(due, start.code, start.why);
      return undefined;
    }
    if (command.parent !== null && !this.#families.join(rootOf(execution), goesOn)) {
      const why = `${rootOf(execution)} has as many executions open within it as it may; let fewer run at a time`;
      this.#refuse(due, command, 'workflow.too-many', why, open);
      return undefined;
    }
    return { graph, command: start };
  }

  /** What it has kept at its savepoint goes; false where that is nothing. */
  #forget(due: Due): boolean {
    const kept = this.#savepoints.forget(due.execution, due.id, due.at);
    if (kept !== undefined) this.#answer(due, kept.runs === undefined ? FORGOTTEN : FORGETTING, 'it is forgotten');
    return kept !== undefined;
  }

  /** A child that cannot begin has failed. */
  #refuse(due: Due, start: Start, code: string, message: string, open: Due[]): void {
    this.#answer(due, code, message);
    const { parent, forRecord } = start;
    if (parent === null || forRecord === true) return;
    this.#sessions.refused(start, due.at);
    const from = { execution: due.execution, seq: 0 };
    this.#deliver(notBegun(due.execution, parent, { code, message }), from, due.at, open);
  }

  #base(hash: string): Graph {
    return this.#parts.graphs.base(hash, () => this.#definitions.document(hash));
  }

  #graphOf(rows: StoredRows): Graph {
    const { definition, revision } = rows.header()!;
    return this.#parts.graphs.of(this.#base(definition), rows.execution, revision, () => rows.patches());
  }

  #freed(holder: Holder, at: Millis, open: Due[]): void {
    const pool = this.#slots.release(holder);
    const next = pool === undefined ? undefined : this.#slots.next(pool);
    if (next !== undefined) open.push(grant(next, at));
  }

  #effects({ execution }: Due, { record, effects, more }: Decided, graph: Graph, at: Millis, open: Due[]): void {
    const from = { execution, seq: record?.seq ?? 0 };
    for (const effect of effects) this.#effect(effect, from, graph, at, open);
    if (more) open.push({ ...NOBODY, execution, command: { type: 'continue' }, id: '', at, cause: CONTINUE });
  }

  #effect(effect: Effect, from: StepName, graph: Graph, at: Millis, open: Due[]): void {
    const { execution } = from;
    switch (effect.effect) {
      case 'queue': {
        const { node, iteration, attempt, priority, deadline } = effect;
        const pool = graph.nodes[node]!.pool;
        const holder = { execution, node, iteration };
        const isFree = this.#slots.ask({ ...holder, attempt, pool, priority, deadline, since: at });
        if (isFree) open.push(grant({ ...holder, attempt }, at));
        return;
      }
      case 'run': {
        const task = this.#callers.announced(execution, effect, graph, at);
        if (graph.nodes[effect.node]!.type.behaviour.kind === 'operator') {
          this.#leftovers.used(segmentName(effect.first, task.node, task.i));
        }
        this.#context.forward(rootOf(execution), { to: 'task', task }, at);
        return;
      }
      case 'abort':
        this.#parts.calls.abort(execution, effect);
        return;
      case 'end':
      case 'savepoint':
        this.#parts.calls.end(effect.effect, execution, effect);
        return;
      case 'set-timer': {
        const { effect: _, ...timer } = effect;
        this.#timers.set({ execution, ...timer });
        return;
      }
      case 'clear-timer': {
        const { effect: _, ...timer } = effect;
        this.#timers.clear({ execution, ...timer });
        return;
      }
      case 'send':
        if (!this.#started.isUnheard(effect, execution)) this.#deliver(effect, from, at, open);
        return;
      case 'tell-started':
        for (const each of this.#started.told(effect, graph)) this.#deliver(each, from, at, open);
        return;
      case 'take-up':
        this.#deliver(this.#savepoints.takeUp(effect), from, at, open);
        return;
      case 'session':
        this.#sessions.ask(effect, `${execution} ${from.seq}`, at);
        return;
      case 'dead-letter': {
        this.#context.forward(rootOf(execution), { to: 'dead', letter: letterOf(effect, execution, graph, at) }, at);
        return;
      }
    }
  }

  /** Each step that sends is another sender: what it sends is no repetition of what an earlier one has sent. */
  #deliver(effect: Extract<Effect, { effect: 'send' }>, from: StepName, at: Millis, open: Due[]): void {
    const { execution, command } = effect;
    const named = effect.workflow ?? undefined;
    const [workflow, version] = named === undefined ? [] : named.split('@');
    const id = `${from.execution} ${from.seq} ${command.type} ${execution}`;
    const cause: Cause = { kind: 'command', type: command.type, id, by: null };
    const sent: Due = { execution, workflow, version, command, id, by: null, at, cause };
    if (command.type === 'savepoint') open.unshift(sent);
    else if (rootOf(execution) === rootOf(from.execution)) open.push(sent);
    else this.#send(sent);
  }

  #send(due: Due): void {
    this.#context.forward(rootOf(due.execution), { to: 'internal', message: messageOf(due) }, due.at);
  }

  #tellSchedule(workflow: string, what: { readonly ended: string } | { readonly again: CommandMessage }, at: Millis) {
    this.#context.forward(scheduleKey(workflow), { to: 'internal', message: { ofSchedule: workflow, ...what } }, at);
  }

  #answer(due: Due, code: string, why: string): void {
    if (due.cause.kind !== 'command') return;
    const record = refusal(due, code, why);
    due.sender?.decided(record);
    this.#context.forward(rootOf(due.execution), { to: 'events', record: encodeStep(record) }, due.at);
  }

  #remember(header: Header, graph: Graph, at: Millis): void {
    const isDue = this.#done.keep(header, at);
    if (isDue && hasSchedule(graph.document)) this.#tellSchedule(header.workflow, { ended: header.execution }, at);
  }
}

type StepName = Pick<StepRecord, 'execution' | 'seq'>;
type Start = Extract<Command, { type: 'start' }>;
