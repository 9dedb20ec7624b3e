import type { Bytes } from '../../core/bytes.ts';
import type { Position, TopicPartition } from '../../core/ids.ts';
import { basePosition, lastPosition, stampPosition } from '../batch-header.ts';
import type { Fetched } from '../log.ts';
import type { LanePlace } from './directory.ts';
import { type Opened, open } from './envelope.ts';

/** A logical partition as a reader follows it. */
export interface Reading extends TopicPartition {
  /** The one to be read next. */
  position: Position;
  paused: boolean;
  place: LanePlace | undefined;
  /** What the envelopes of its batches say. */
  tag: string;
}

const opened: Opened = { tag: '', start: 0, end: 0 };

/** What a fetch of a lane has for each that reads there; each goes on behind it, whatever there was for it. */
export function split(fetched: Fetched, readings: Iterable<Reading>): readonly Fetched[] {
  const shares: Share[] = [];
  const byTag = new Map<string, Share>();
  const held = { fetched, users: 0 };
  for (const reading of readings) {
    if (reading.paused || fetched.next <= reading.position + reading.place!.begin) continue;
    const share = new Share(reading, held);
    shares.push(share);
    byTag.set(reading.tag, share);
  }
  if (shares.length === 0) {
    fetched.release();
    return shares;
  }
  const { bytes, starts, ends } = fetched;
  for (let b = 0; b < starts.length; b++) {
    if (!open(bytes, starts[b]!, ends[b]!, fetched, opened)) continue;
    byTag.get(opened.tag)?.take(starts[b]!, opened);
  }
  return shares;
}

/** Gives the buffer back when the last has. */
interface Held {
  readonly fetched: Fetched;
  users: number;
}

class Share implements Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Bytes;
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly position: Position;
  readonly next: Position;
  readonly end: Position;
  readonly #begin: Position;
  #held: Held | undefined;

  constructor(reading: Reading, held: Held) {
    const { fetched } = held;
    this.#begin = reading.place!.begin;
    this.#held = held;
    held.users++;
    this.topic = reading.topic;
    this.partition = reading.partition;
    this.bytes = fetched.bytes;
    this.position = reading.position;
    this.next = fetched.next - this.#begin;
    this.end = fetched.end - this.#begin;
    reading.position = this.next;
  }

  take(outer: number, { start, end }: Opened): void {
    if (lastPosition(this.bytes, outer) - this.#begin < this.position) return;
    stampPosition(this.bytes, start, basePosition(this.bytes, outer) - this.#begin);
    this.starts.push(start);
    this.ends.push(end);
  }

  release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    if (--held.users === 0) held.fetched.release();
  }
}
