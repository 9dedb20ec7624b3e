import { MessageChannel, Worker as Thread } from 'node:worker_threads';
import type { Clock } from '../core/clock.ts';
import { type ErrorCode, FlowError } from '../core/errors.ts';
import { type GroupIdentity, serveLog } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import { registeredSecrets } from '../telemetry/telemetry.ts';
import { planHash } from '../topology/plan.ts';
import type { HostOptions, WorkerFigures, WorkerHost } from './host.ts';
import { LastingHost, ThreadFallen } from './lasting-host.ts';
import { restoring, type StoreRequest } from './read-store.ts';
import type { ModuleRef } from './runtime.ts';
import {
  bufferOf,
  type ThreadData,
  type ThreadFailure,
  type ThreadReply,
  type ThreadRequest,
} from './thread-protocol.ts';

/** Distributes over the members of a union what `Omit` would merge. */
type Uncalled<Request> = Request extends { readonly call: number } ? Omit<Request, 'call'> : never;

/** Of a question; nothing else is answered. */
type Answer = readonly FoundRow[] | undefined;

type ThreadOptions = HostOptions & { readonly module?: ModuleRef | undefined };

/** A worker in a thread of its own, and in another should that fall. */
export function createThreadHost(options: ThreadOptions): Promise<WorkerHost> {
  const { worker, clock, telemetry, program } = options;
  const log = telemetry.log.with({ application: program.plan.name });
  return LastingHost.open({ worker, clock, log, open: () => startThread(options) });
}

/** The log stays here; encoded batches cross by message. */
async function startThread(options: ThreadOptions): Promise<WorkerHost> {
  if (options.module === undefined) {
    throw new FlowError(
      'config.invalid',
      'more than one worker needs the module of the topology: run it with `nodeflow run <file>`, or give `module`',
    );
  }
  const { port1, port2 } = new MessageChannel();
  const served = serveLog(options.log, port1);
  const data: ThreadData = {
    module: options.module,
    planHash: planHash(options.program.plan),
    application: options.program.plan.name,
    worker: options.worker,
    slot: options.slot,
    settings: options.settings,
    directory: options.directory,
    specs: [...options.specs.values()],
    limits: options.limits,
    registry: options.registry?.address,
    secrets: registeredSecrets(),
  };
  const file = import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js';
  const thread = new Thread(new URL(file, import.meta.url), {
    workerData: { data, port: port2 },
    transferList: [port2],
  });
  const host = new ThreadHost(thread, options);
  await host.ready;
  host.finished.catch(() => undefined).finally(() => served.close());
  return host;
}

class ThreadHost implements WorkerHost {
  readonly finished: Promise<void>;
  readonly ready: Promise<void>;
  readonly #thread: Thread;
  readonly #clock: Clock;
  readonly #calls = new Map<number, { resolve(found: Answer): void; reject(failure: Error): void }>();
  #nextCall = 0;
  #figures: WorkerFigures = {
    ...{ records: 0, lag: 0, streamTime: undefined, tasks: 0, inputs: [], stores: [] },
    ...{ standbys: { tasks: 0, lag: 0 }, restore: undefined, ready: false, silentMs: 0, blockedMs: 0 },
    registryOutage: undefined,
    quarantined: [],
  };
  #heardAt: number;
  #ended = false;

  constructor(thread: Thread, options: HostOptions) {
    this.#thread = thread;
    this.#clock = options.clock;
    this.#heardAt = options.clock.monotonic();
    const started = Promise.withResolvers<void>();
    const finished = Promise.withResolvers<void>();
    this.ready = started.promise;
    this.finished = finished.promise;
    this.finished.catch(() => undefined);
    const fail = (failure: Error) => {
      this.#ended = true;
      started.reject(failure);
      finished.reject(failure);
      for (const call of this.#calls.values()) call.reject(failure);
      this.#calls.clear();
    };
    thread.on('message', (reply: ThreadReply) => {
      if (reply.kind === 'ready') started.resolve();
      else if (reply.kind === 'done') this.#answer(reply.call, reply.found, reply.failure);
      else if (reply.kind === 'figures') {
        this.#figures = reply.figures;
        this.#heardAt = this.#clock.monotonic();
        if (reply.metrics !== undefined) options.telemetry.absorb(`worker-${options.worker}`, reply.metrics);
      } else if (reply.kind === 'line') writeLine(reply.line, options);
      else if (reply.failure !== undefined) fail(revive(reply.failure));
      else {
        this.#ended = true;
        finished.resolve();
        for (const call of this.#calls.values()) call.resolve(undefined);
        this.#calls.clear();
      }
    });
    let fallen: ThreadFallen | undefined;
    thread.on('error', (failure) => {
      fallen = new ThreadFallen(`worker ${options.worker}: ${String(failure)}`, { cause: failure });
    });
    // only then its stores can be opened by another
    thread.on('exit', (code) => {
      if (!this.#ended) fail(fallen ?? new ThreadFallen(`worker ${options.worker} ended with exit code ${code}`));
    });
  }

  renew({ group, member, generation }: GroupIdentity, tasks: readonly string[]): void {
    if (!this.#ended) this.#post({ kind: 'renew', identity: { group, member, generation }, tasks });
  }

  async assign(identity: GroupIdentity, tasks: readonly string[], standbys: readonly string[]): Promise<void> {
    const { group, member, generation } = identity;
    await this.#call({ kind: 'assign', identity: { group, member, generation }, tasks, standbys });
  }

  async revoke(tasks: readonly string[]): Promise<void> {
    await this.#call({ kind: 'revoke', tasks });
  }

  async query(request: StoreRequest): Promise<readonly FoundRow[]> {
    const found = await this.#call({ kind: 'query', request });
    if (found === undefined) throw restoring(request.tasks.join(', '), request.store);
    return found.map((row) => ({ ...row, key: bufferOf(row.key), value: bufferOf(row.value) }));
  }

  stop(): void {
    if (!this.#ended) this.#post({ kind: 'stop' });
  }

  figures(): WorkerFigures {
    // a thread that is stuck says nothing: the time since its last word counts too
    const blockedMs = this.#ended ? 0 : this.#clock.monotonic() - this.#heardAt;
    const silentMs = this.#figures.silentMs + blockedMs;
    return { ...this.#figures, ready: this.#figures.ready && !this.#ended, silentMs, blockedMs };
  }

  #call(request: Uncalled<ThreadRequest>): Promise<Answer> {
    if (this.#ended) return Promise.resolve(undefined);
    const call = this.#nextCall++;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.#post({ ...request, call } as ThreadRequest);
    });
  }

  #post(request: ThreadRequest): void {
    this.#thread.postMessage(request);
  }

  #answer(id: number, found: Answer, failure: ThreadFailure | undefined): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (failure === undefined) call?.resolve(found);
    else call?.reject(revive(failure));
  }
}

/** Writes a line of the thread where the lines of this thread go. */
function writeLine(line: string, { telemetry, worker }: HostOptions): void {
  const { level, message, time: _, ...fields } = JSON.parse(line) as Record<string, unknown>;
  telemetry.log[level as 'debug' | 'info' | 'warn' | 'error']({ ...fields, worker }, String(message));
}

function revive(failure: ThreadFailure): Error {
  const error =
    failure.code === undefined
      ? new FlowError('worker.failed', failure.message)
      : new FlowError(failure.code as ErrorCode, failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
