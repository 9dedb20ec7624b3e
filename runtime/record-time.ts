import type { Millis } from '../core/ids.ts';
import type { KeptNumber, Push, Rec } from '../operators/operators.ts';
import type { SourceTiming } from '../topology/plan.ts';

/** The time of a record is none that anything can go by. */
export class AbsurdTime extends Error {
  readonly reason: 'negative-time' | 'absurd-time';

  constructor(reason: AbsurdTime['reason'], message: string) {
    super(message);
    this.name = 'AbsurdTime';
    this.reason = reason;
  }
}

/** Event time in whole milliseconds, from 0 to 2^53; throws {@link AbsurdTime} at any other. */
export function soundTime(at: Millis): Millis {
  if (at >= 0 && at <= Number.MAX_SAFE_INTEGER) return Number.isSafeInteger(at) ? at : Math.floor(at);
  if (at < 0) throw new AbsurdTime('negative-time', `its time ${at} lies before 1970`);
  throw new AbsurdTime('absurd-time', `its time ${at} is beyond 2^53 or no number`);
}

export interface RecordTimeOptions {
  /** Event time of a value; without it that of the record in its topic. */
  readonly time: ((value: unknown, key: unknown) => Millis) | undefined;
  readonly timing: SourceTiming | undefined;
  /** The largest time of the partition so far. */
  readonly latest: KeptNumber;
  now(): Millis;
  /** Told of each record whose time was changed, within its step. */
  clamped(): void;
}

/**
 * Says what time a record of one partition has, where that is not simply its timestamp. A time may be at most `maxAhead`
 * above the largest before it; the first of a partition is measured by the wall clock.
 */
export class RecordTime {
  readonly #options: RecordTimeOptions;
  readonly #maxAheadMs: Millis;
  readonly #clamps: boolean;
  /** Where the last record stands whose time was changed. */
  #clampedAt = -1;

  constructor(options: RecordTimeOptions) {
    this.#options = options;
    this.#maxAheadMs = options.timing?.maxAheadMs ?? Number.POSITIVE_INFINITY;
    this.#clamps = options.timing?.onAbsurdTime === 'clamp';
  }

  /** The time of a record that has that of its topic; throws {@link AbsurdTime}. */
  of(record: Rec): Millis {
    const { time, latest } = this.#options;
    const at = time === undefined ? record.timestamp : time(record.value, record.key);
    const furthest = this.#furthest(latest.value);
    if (at >= 0 && at <= furthest && Number.isSafeInteger(at)) return at;
    if (!this.#clamps) {
      const sound = soundTime(at);
      if (sound <= furthest) return sound;
      const ahead = sound - Math.max(0, latest.value);
      throw new AbsurdTime('absurd-time', `its time ${at} is ${ahead} ms ahead, more than maxAhead allows`);
    }
    if (at >= 0 && at <= furthest) return Math.floor(at);
    this.#clampedAt = record.position;
    return at > furthest ? furthest : Math.max(0, latest.value);
  }

  /** The push of the partition: what goes by moves its time. */
  follow(push: Push): Push {
    if (this.#maxAheadMs === Number.POSITIVE_INFINITY && !this.#clamps) return push;
    const { latest, clamped } = this.#options;
    return (record) => {
      if (record.timestamp > latest.value) latest.set(record.timestamp);
      if (record.position === this.#clampedAt) clamped();
      push(record);
    };
  }

  #furthest(latest: Millis): Millis {
    if (this.#maxAheadMs === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER;
    return (latest < 0 ? this.#options.now() : latest) + this.#maxAheadMs;
  }
}
