import type { Clock } from '../../core/clock.ts';
import { FlowError, messageOf } from '../../core/errors.ts';

const PROBE_MS = 1000;

/**
 * Whether the disk takes writes. After a failure everything that writes is refused until a probe succeeds;
 * a call brings the probe about, at most once a second. Where a failed sync left it unknown what is stored,
 * only opening the log anew helps.
 */
export class Health {
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #probe: () => Promise<void>;
  #failure: FlowError | undefined;
  #lost = false;
  #probedAt = 0;

  constructor(clock: Clock, directory: string, probe: () => Promise<void>) {
    this.#clock = clock;
    this.#directory = directory;
    this.#probe = probe;
  }

  /** What the log refuses writes with, if it does. */
  get failure(): FlowError | undefined {
    return this.#failure;
  }

  /** Notes a failed write; `lost` where it is not known what the disk holds. */
  fail(cause: unknown, lost: boolean): FlowError {
    if (cause instanceof FlowError && cause === this.#failure) return cause;
    this.#lost ||= lost;
    const cure = this.#lost ? 'then open the log again' : 'then it goes on';
    this.#failure = new FlowError(
      'log.full',
      `the log in ${this.#directory} cannot be written (${messageOf(cause)}); free space or repair the disk, ${cure}; ` +
        'nothing that was answered is lost',
      { cause },
    );
    this.#probedAt = this.#clock.monotonic();
    return this.#failure;
  }

  /** Fails while the disk takes no writes. */
  async check(): Promise<void> {
    if (this.#failure === undefined) return;
    const now = this.#clock.monotonic();
    if (this.#lost || now - this.#probedAt < PROBE_MS) throw this.#failure;
    this.#probedAt = now;
    try {
      await this.#probe();
    } catch (thrown) {
      throw this.fail(thrown, false);
    }
    this.#failure = undefined;
  }
}
