import type { Json, Program, Topic } from '../../index.ts';
import type { Event } from './events.ts';

/** One query: what the engine runs, and what a plain computation over all events makes of it. */
export interface Query<K = unknown, V = unknown> {
  readonly title: string;
  readonly inputs: readonly InputName[];
  readonly output: Topic<K, V, number>;
  program(): Program;
  /** What the output comes to, as lines in any order. */
  results(say: Say): Results<K, V>;
  /** Where lines tell of windows: those of windows that have closed when event time has come to `last`. */
  closed?(line: string, last: number): boolean;
  /** The schema of what lies between two stages, where it is no event: for whoever writes the query in another language. */
  readonly between?: Json;
  /** The lines that the events make. */
  expected(events: Iterable<Event>): Iterable<string>;
}

export type InputName = 'persons' | 'auctions' | 'bids';
export type Say = (line: string) => void;

/** Takes the output record by record; views are valid during the call. */
export interface Results<K, V> {
  take(value: V | null, key: K): void;
  /** Says what could not be said before. */
  end(): void;
}

/** For outputs of which each record counts. */
export function everyRecord<K, V>(show: (value: V, key: K) => string): (say: Say) => Results<K, V> {
  return (say) => ({
    take(value, key) {
      if (value !== null) say(show(value, key));
    },
    end() {},
  });
}

/** For tables: the newest value of each key counts, and a null takes the key away. */
export function lastOfEachKey<K, V>(
  keyOf: (key: K) => string,
  show: (value: V, key: K) => string,
): (say: Say) => Results<K, V> {
  return (say) => {
    const lines = new Map<string, string>();
    return {
      take(value, key) {
        if (value === null) lines.delete(keyOf(key));
        else lines.set(keyOf(key), show(value, key));
      },
      end() {
        for (const line of lines.values()) say(line);
      },
    };
  };
}

/** For lines that begin with the start of a window of this size. */
export function closedAfter(sizeMs: number): (line: string, last: number) => boolean {
  return (line, last) => Number.parseInt(line, 10) + sizeMs + SPARE_MS <= last;
}

/** The clocks of two tasks are not the same. */
const SPARE_MS = 1000;
