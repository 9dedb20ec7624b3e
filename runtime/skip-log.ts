import type { Clock } from '../core/clock.ts';
import type { Logger } from '../telemetry/telemetry.ts';

const QUIET_MS = 1000;

interface Quiet {
  until: number;
  count: number;
  fields: object;
  message: string;
  cancel: () => void;
}

/** Tells of records that were passed over: one line a node and second, with how many there were since the last. */
export class SkipLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #nodes = new Map<string, Quiet>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  add(node: string, fields: object, message: string): void {
    const now = this.#clock.monotonic();
    let quiet = this.#nodes.get(node);
    if (quiet === undefined) {
      quiet = { until: 0, count: 0, fields, message, cancel: () => undefined };
      this.#nodes.set(node, quiet);
    }
    quiet.count++;
    quiet.fields = fields;
    quiet.message = message;
    if (now >= quiet.until) this.#tell(node, quiet);
    else if (quiet.count === 1) {
      const told = quiet;
      quiet.cancel = this.#clock.after(quiet.until - now, () => this.#tell(node, told));
    }
  }

  /** Tells what is still untold. */
  close(): void {
    for (const [node, quiet] of this.#nodes) if (quiet.count > 0) this.#tell(node, quiet);
  }

  #tell(node: string, quiet: Quiet): void {
    quiet.cancel();
    quiet.until = this.#clock.monotonic() + QUIET_MS;
    this.#log.warn({ node, ...quiet.fields, count: quiet.count }, quiet.message);
    quiet.count = 0;
  }
}
