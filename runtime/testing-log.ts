import type { Sealed } from '../checkpoints/checkpoints.ts';
import { type Position, partitionName } from '../core/ids.ts';
import type { Fetched } from '../log/log.ts';

interface Batch extends Sealed {
  readonly position: Position;
  readonly next: Position;
  committed: boolean;
}

/** The topics of a test, in memory. What tasks have written counts when it is committed; what the test sends, at once. */
export class DriverLog {
  readonly #partitions = new Map<string, { end: Position; batches: Batch[] }>();
  readonly #unread = new Map<string, Batch[]>();
  readonly #keeps: boolean;

  /** `keeps`: batches may be asked for again. */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /** Appends a batch of a task, to be read as output too. */
  write(sealed: Sealed): Fetched {
    const batch = this.#append(sealed, false);
    const list = this.#unread.get(sealed.topic) ?? [];
    list.push(batch);
    this.#unread.set(sealed.topic, list);
    return fetchedOf(batch, batch.position);
  }

  /** Appends a batch of the test. */
  send(sealed: Sealed): Fetched {
    const batch = this.#append(sealed, true);
    return fetchedOf(batch, batch.position);
  }

  #append(sealed: Sealed, committed: boolean): Batch {
    const name = partitionName(sealed.topic, sealed.partition);
    const partition = this.#partitions.get(name) ?? { end: 0, batches: [] };
    this.#partitions.set(name, partition);
    const bytes = Buffer.from(sealed.bytes);
    bytes.writeBigInt64BE(BigInt(partition.end), 0);
    const position = partition.end;
    partition.end += sealed.records;
    const batch = { ...sealed, bytes, position, next: partition.end, committed };
    if (this.#keeps) partition.batches.push(batch);
    return batch;
  }

  /** What lies in a partition from a position on. */
  from(topic: string, partition: number, position: Position): readonly Fetched[] {
    const { batches = [] } = this.#partitions.get(partitionName(topic, partition)) ?? {};
    let from = position;
    return batches
      .filter((batch) => batch.next > position)
      .map((batch) => {
        const fetched = fetchedOf(batch, from);
        from = batch.next;
        return fetched;
      });
  }

  commit(): void {
    for (const { batches } of this.#partitions.values()) for (const batch of batches) batch.committed = true;
  }

  /** Takes away what was written and not committed. */
  abort(): void {
    for (const partition of this.#partitions.values()) {
      partition.batches = partition.batches.filter((batch) => batch.committed);
      partition.end = partition.batches.at(-1)?.next ?? 0;
    }
    for (const [topic, batches] of this.#unread) {
      this.#unread.set(
        topic,
        batches.filter((batch) => batch.committed),
      );
    }
  }

  /** What tasks have written to a topic since it was last taken; uncommitted batches only where that is asked for. */
  take(topic: string, uncommitted: boolean): readonly Sealed[] {
    const batches = this.#unread.get(topic) ?? [];
    const taken = uncommitted ? batches : batches.filter((batch) => batch.committed);
    this.#unread.set(topic, uncommitted ? [] : batches.filter((batch) => !batch.committed));
    return taken;
  }
}

function fetchedOf({ topic, partition, bytes, next }: Batch, position: Position): Fetched {
  return {
    ...{ topic, partition, bytes, position, next },
    starts: [0],
    ends: [bytes.length],
    end: next,
    release: () => undefined,
  };
}
