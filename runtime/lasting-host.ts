import type { Clock } from '../core/clock.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { GroupIdentity } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import type { WorkerFigures, WorkerHost } from './host.ts';
import type { StoreRequest } from './read-store.ts';

/** The thread of a worker has ended without having been asked to, whatever it was doing; nothing of it is left. */
export class ThreadFallen extends FlowError {
  constructor(message: string, options?: ErrorOptions) {
    super('worker.failed', message, options);
  }
}

export interface LastingHostParts {
  readonly worker: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Starts a thread. Its producer takes the identity of the one before, whose open transaction is aborted by that. */
  open(): Promise<WorkerHost>;
}

/** A worker that falls again so soon ends the run: what made it fall is in the records, and would come again. */
const AGAIN_MS: Millis = 30_000;

/**
 * A worker that outlives its thread: where that falls, because user code outside of any record threw or left, another
 * takes its place, with the same tasks from their last commit. What was asked of the one that fell is asked of it.
 */
export class LastingHost implements WorkerHost {
  readonly finished: Promise<void>;
  readonly #parts: LastingHostParts;
  readonly #end = Promise.withResolvers<void>();
  #host: WorkerHost;
  /** While a thread is being replaced. */
  #replacing: Promise<void> | undefined;
  /** What the one that is being replaced last said. */
  #last: WorkerFigures | undefined;
  /** Records of threads that have fallen. */
  #records = 0;
  #fellAt = Number.NEGATIVE_INFINITY;
  #identity: GroupIdentity | undefined;
  /** The tasks of the process, and what this worker has of them. */
  #owned: readonly string[] = [];
  #tasks: readonly string[] = [];
  #standbys: readonly string[] = [];
  #stopped = false;
  #ended = false;

  static async open(parts: LastingHostParts): Promise<LastingHost> {
    return new LastingHost(parts, await parts.open());
  }

  private constructor(parts: LastingHostParts, host: WorkerHost) {
    this.#parts = parts;
    this.#host = host;
    this.finished = this.#end.promise;
    this.finished.catch(() => undefined);
    this.#follow(host);
  }

  renew(identity: GroupIdentity, tasks: readonly string[]): void {
    this.#identity = identity;
    this.#owned = tasks;
    if (this.#replacing === undefined) this.#host.renew(identity, tasks);
  }

  async assign(identity: GroupIdentity, tasks: readonly string[], standbys: readonly string[]): Promise<void> {
    this.#identity = identity;
    this.#tasks = tasks;
    this.#standbys = standbys;
    await this.#through((host) => host.assign(this.#identity!, this.#tasks, this.#standbys));
  }

  async revoke(tasks: readonly string[]): Promise<void> {
    const isKept = (task: string) => !tasks.includes(task);
    this.#owned = this.#owned.filter(isKept);
    this.#tasks = this.#tasks.filter(isKept);
    await this.#through((host) => host.revoke(tasks));
  }

  query(request: StoreRequest): Promise<readonly FoundRow[]> {
    return this.#through((host) => host.query(request));
  }

  stop(): void {
    this.#stopped = true;
    this.#host.stop();
  }

  figures(): WorkerFigures {
    const figures = this.#last ?? this.#host.figures();
    return { ...figures, records: figures.records + this.#records };
  }

  #follow(host: WorkerHost): void {
    host.finished.then(
      () => {
        this.#ended = true;
        this.#end.resolve();
      },
      (failure: unknown) => {
        const { clock } = this.#parts;
        const isAgain = clock.monotonic() - this.#fellAt < AGAIN_MS;
        if (!(failure instanceof ThreadFallen) || this.#stopped || isAgain) {
          this.#fail(failure);
          return;
        }
        this.#fellAt = clock.monotonic();
        this.#replacing = this.#replace(host, failure);
        this.#replacing.catch((thrown: unknown) => this.#fail(thrown));
      },
    );
  }

  async #replace(fallen: WorkerHost, { message }: ThreadFallen): Promise<void> {
    const { worker, log } = this.#parts;
    log.warn({ worker }, `${message}; another thread takes its place and goes on from the last commit`);
    this.#last = { ...fallen.figures(), ready: false, silentMs: 0, blockedMs: 0 };
    const host = await this.#parts.open();
    this.#records += this.#last.records;
    this.#last = undefined;
    this.#host = host;
    this.#replacing = undefined;
    this.#follow(host);
    if (this.#stopped) {
      host.stop();
      return;
    }
    if (this.#identity === undefined) return;
    host.renew(this.#identity, this.#owned);
    host.assign(this.#identity, this.#tasks, this.#standbys).catch((failure: unknown) => {
      // one that falls too is told by its end
      if (!(failure instanceof ThreadFallen)) this.#fail(failure);
    });
  }

  /** Asks the thread at work, and where it falls meanwhile, the one behind it. */
  async #through<T>(ask: (host: WorkerHost) => Promise<T>): Promise<T> {
    for (;;) {
      await this.#replacing;
      try {
        return await ask(this.#host);
      } catch (thrown) {
        if (!(thrown instanceof ThreadFallen) || this.#ended) throw thrown;
      }
    }
  }

  #fail(failure: unknown): void {
    this.#ended = true;
    this.#end.reject(failure);
  }
}
