import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';
import type { Log } from '../log/log.ts';
import type { WorkerFigures } from './host.ts';
import type { Health } from './runtime.ts';

export interface WatchdogParts {
  readonly clock: Clock;
  readonly log: Log;
  /** A worker whose thread is blocked for longer loses its tasks, as a process that is not heard of does. */
  readonly sessionMs: Millis;
  readonly commitIntervalMs: Millis;
  figures(): readonly WorkerFigures[];
  /** The member can be made to leave now. */
  isMember(): boolean;
  /** Workers are past their time: others are to have the tasks. */
  onOverdue(workers: readonly number[], reason: string): void;
}

/** A worker whose loop has not turned for this long is ill, unless the log keeps it waiting. */
const SILENCE_MS: Millis = 10_000;
/** A thread that gave no sign of life for this long is blocked; it gives five a second. */
const BLOCKED_MS: Millis = 1000;
/** A worker whose loop has not turned for this long, though its thread lives and the log answers, loses its tasks. */
const PROGRESS_MS: Millis = 60_000;
const LOOK_MS: Millis = 1000;

/**
 * Judges whether the workers of a process go on, and takes the tasks from a thread that is blocked for longer than the
 * group would wait for the process, and from a worker that waits for ever: the supervisor's thread beats for them, so
 * nobody else would notice.
 */
export class Watchdog {
  readonly #parts: WatchdogParts;
  readonly #ended = new AbortController();
  #watching = false;
  /** When the log was last seen not to answer. */
  #outageAt = Number.NEGATIVE_INFINITY;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
  }

  /** Begins to watch; once is enough. */
  start(): void {
    if (this.#watching) return;
    this.#watching = true;
    void this.#watch();
  }

  health(): Health {
    const { commitIntervalMs } = this.#parts;
    const figures = this.#parts.figures();
    const degraded = this.#outage() ?? blockedWorker(figures) ?? registryAway(figures);
    const silent = figures.findIndex((each) => this.#silentMs(each) > SILENCE_MS + commitIntervalMs);
    return {
      ready: degraded === undefined && silent < 0 && figures.every(({ ready }) => ready),
      degraded,
      ill: silent < 0 ? undefined : stoodStill(figures, silent),
    };
  }

  close(): void {
    this.#ended.abort();
  }

  /** Whoever waited for the log has had no chance to turn since. */
  #silentMs({ silentMs }: WorkerFigures): Millis {
    return Math.min(silentMs, this.#parts.clock.monotonic() - this.#outageAt);
  }

  #outage(): string | undefined {
    const { log, clock } = this.#parts;
    const outage = log.connection?.outage;
    if (outage === undefined) return undefined;
    this.#outageAt = clock.monotonic();
    return `the log has not answered since ${new Date(outage.since).toISOString()}: ${outage.reason}`;
  }

  async #watch(): Promise<void> {
    const { clock, sessionMs } = this.#parts;
    for (let looked = clock.monotonic(); await clock.sleep(LOOK_MS, this.#ended.signal); looked = clock.monotonic()) {
      this.#outage();
      // where this thread itself stood still, it has heard nobody
      if (clock.monotonic() - looked > 2 * LOOK_MS || !this.#parts.isMember()) continue;
      const figures = this.#parts.figures();
      const isOverdue = (each: WorkerFigures) => each.blockedMs > sessionMs || this.#silentMs(each) > PROGRESS_MS;
      const overdue = figures.flatMap((each, worker) => (isOverdue(each) ? [worker] : []));
      if (overdue.length > 0)
        this.#parts.onOverdue(overdue, blockedWorker(figures) ?? stoodStill(figures, overdue[0]!));
    }
  }
}

function stoodStill(figures: readonly WorkerFigures[], worker: number): string {
  return `worker ${worker} has stood still for ${Math.round(figures[worker]!.silentMs)} ms`;
}

function blockedWorker(figures: readonly WorkerFigures[]): string | undefined {
  const blocked = figures.findIndex(({ blockedMs }) => blockedMs > BLOCKED_MS);
  return blocked < 0
    ? undefined
    : `worker ${blocked} has been blocked for ${Math.round(figures[blocked]!.blockedMs)} ms`;
}

function registryAway(figures: readonly WorkerFigures[]): string | undefined {
  const outage = figures.find(({ registryOutage }) => registryOutage !== undefined)?.registryOutage;
  if (outage === undefined) return undefined;
  const since = new Date(outage.since).toISOString();
  return `records wait for the schema registry, which has not answered since ${since}: ${outage.reason}`;
}
