import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { EventFeed, FeedCursor, PlacedStep } from '../events/events.ts';
import type { Projections } from './projections.ts';

export interface FollowParts {
  readonly feed: EventFeed;
  readonly projections: Projections;
  readonly clock: Clock;
  /** Told when the database fails, and when it answers again. */
  onState?(failure: string | undefined): void;
}

export interface Following {
  /** Step records that the feed has had and the rows have not. */
  readonly lag: number;
  /** Resolves when the rows hold all that the feed stood behind when it was asked. */
  caughtUp(): Promise<void>;
  /** Writes what is in hand, and stops. */
  close(): Promise<void>;
}

const MOST_STEPS = 1000;
const LONGEST_WAIT_MS: Millis = 50;
const FIRST_REST_MS: Millis = 100;
const LONGEST_REST_MS: Millis = 10_000;

/**
 * Keeps the rows of a read side on the heels of the feed: what has come is written in batches, each with the place behind
 * it. Where the database fails, what was in hand is forgotten, and reading begins again, after a pause that grows, where
 * the rows stand: so it holds no more than a batch, and nothing back.
 */
export function followFeed(parts: FollowParts): Following {
  const follower = new Follower(parts);
  return follower;
}

class Follower implements Following {
  readonly #parts: FollowParts;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #written: FeedCursor = [];

  constructor(parts: FollowParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  get lag(): number {
    return this.#parts.feed.cursor.reduce(
      (sum, position, i) => sum + Math.max(0, position - (this.#written[i] ?? 0)),
      0,
    );
  }

  async caughtUp(): Promise<void> {
    const due = this.#parts.feed.cursor;
    while (!this.#stop.signal.aborted && due.some((position, i) => (this.#written[i] ?? 0) < position)) {
      await this.#parts.clock.sleep(5, this.#stop.signal);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, onState } = this.#parts;
    const { signal } = this.#stop;
    let rest = FIRST_REST_MS;
    while (!signal.aborted) {
      try {
        await this.#follow(() => {
          if (rest !== FIRST_REST_MS) onState?.(undefined);
          rest = FIRST_REST_MS;
        });
      } catch (thrown) {
        onState?.(messageOf(thrown));
        await clock.sleep(rest, signal);
        rest = Math.min(LONGEST_REST_MS, rest * 2);
      }
    }
  }

  async #follow(onWritten: () => void): Promise<void> {
    const { feed, projections, clock } = this.#parts;
    const { signal } = this.#stop;
    const from = await projections.cursor();
    this.#written = from;
    let batch = new Batch();
    const subscription = feed.steps({}, from, (step, cursor) => {
      batch.add(step, cursor);
      return batch.full;
    });
    let failed: { readonly why: unknown } | undefined;
    subscription.ended.catch((why) => {
      failed = { why };
    });
    try {
      while (!signal.aborted || batch.steps.length > 0) {
        if (failed !== undefined) throw failed.why;
        if (batch.steps.length === 0) {
          // what lies behind the last step in the log is none
          this.#written = subscription.cursor;
          await clock.sleep(LONGEST_WAIT_MS, signal);
          continue;
        }
        const taken = batch;
        batch = new Batch();
        taken.release();
        await this.#write(taken);
        onWritten();
      }
    } finally {
      batch.release();
      subscription.close();
    }
  }

  async #write({ steps, cursor }: Batch): Promise<void> {
    const { projections } = this.#parts;
    for (let i = 0; i < steps.length; i += MOST_STEPS) {
      const part = steps.slice(i, i + MOST_STEPS);
      // a place behind a part of them is not known for every partition: the rows know what they have seen
      const behind = i + MOST_STEPS >= steps.length ? cursor : [];
      await projections.write(part, behind);
    }
    this.#written = cursor;
  }
}

/** Steps in hand, and the place behind them. */
class Batch {
  readonly steps: PlacedStep[] = [];
  cursor: FeedCursor = [];
  readonly #taken = Promise.withResolvers<void>();

  add(step: PlacedStep, cursor: FeedCursor): void {
    this.steps.push(step);
    this.cursor = cursor;
  }

  /** Where there are enough of them: when they were taken. Holds back who reads what is old. */
  get full(): Promise<void> | undefined {
    return this.steps.length >= MOST_STEPS ? this.#taken.promise : undefined;
  }

  release(): void {
    this.#taken.resolve();
  }
}
