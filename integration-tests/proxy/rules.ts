import type { Millis } from '../../core/ids.ts';
import { API, type ApiName, type Frame } from './frames.ts';

export type Direction = 'request' | 'answer';

/** What happens to a frame that a rule matches. */
export type Action =
  /** It waits, and so does all behind it in its direction on its connection; without a time until `release`. */
  | { readonly do: 'hold'; readonly forMs?: Millis }
  /** It alone waits and later ones pass; without a time until `release`. Comes late even where its client has left. */
  | { readonly do: 'delay'; readonly forMs?: Millis }
  /** The frame behind it goes first. */
  | { readonly do: 'swap' }
  | { readonly do: 'drop' }
  /** A request reaches the broker again, over a connection of its own, when released or after a time. */
  | { readonly do: 'repeat'; readonly afterMs?: Millis }
  /** The client's connection breaks; `deliver` says whether the frame itself still arrives. */
  | { readonly do: 'cut'; readonly deliver?: boolean }
  /** The connection stays open and carries nothing more, in both directions. */
  | { readonly do: 'silence' }
  /** The broker never sees the request; the proxy answers with this error. See `failed-answer.ts`. */
  | { readonly do: 'fail'; readonly error: number };

export interface Rule {
  readonly name: string;
  /** Default: every request. */
  readonly api?: ApiName;
  readonly direction: Direction;
  /** Matches before the first that fires. Default 0. */
  readonly skip?: number;
  /** How often it fires. Default 1. */
  readonly times?: number;
  /** Only frames to or from this broker. */
  readonly broker?: number;
  /** A closer look; `frame` is the request, also for answers. */
  readonly where?: (frame: Frame) => boolean;
  readonly action: Action;
}

/** A rule at work, and what it has done. */
export class ActiveRule {
  readonly rule: Rule;
  matched = 0;
  fired = 0;
  /** Frames let go by a time or by `release`, of those that it held back. */
  released = 0;
  #held: (() => void)[] = [];
  #waiting: { readonly fired: number; readonly resolve: () => void }[] = [];
  #removed = false;

  constructor(rule: Rule) {
    this.rule = rule;
  }

  /** Counts the frame, and answers whether the rule acts on it. */
  takes(direction: Direction, broker: number, frame: Frame): boolean {
    const { rule } = this;
    if (this.#removed || rule.direction !== direction) return false;
    if (rule.api !== undefined && API[rule.api] !== frame.api) return false;
    if (rule.broker !== undefined && rule.broker !== broker) return false;
    if (rule.where?.(frame) === false) return false;
    this.matched++;
    if (this.matched <= (rule.skip ?? 0) || this.fired >= (rule.times ?? 1)) return false;
    this.fired++;
    this.#waiting = this.#waiting.filter(({ fired, resolve }) => {
      if (fired <= this.fired) resolve();
      return fired > this.fired;
    });
    return true;
  }

  /** Frames held back now. */
  get held(): number {
    return this.#held.length;
  }

  /** Keeps what lets a frame go; answers the same, to be called by a timer. */
  hold(go: () => void): () => void {
    const once = () => {
      const at = this.#held.indexOf(once);
      if (at < 0) return;
      this.#held.splice(at, 1);
      this.released++;
      go();
    };
    this.#held.push(once);
    return once;
  }

  /** Lets go what is held now, in order. */
  release(): void {
    for (const go of [...this.#held]) go();
  }

  /** Resolves when it has fired so often. */
  whenFired(times = 1): Promise<void> {
    if (this.fired >= times) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ fired: times, resolve });
    });
  }

  /** It takes no more frames, and lets go what it holds. */
  remove(): void {
    this.#removed = true;
    this.release();
  }
}
