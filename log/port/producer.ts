import { isLent } from '../../core/buffer-pool.ts';
import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import type { Position, TopicPartition } from '../../core/ids.ts';
import type { CommittedPosition, GroupIdentity, LogProducer } from '../log.ts';
import type { Connection } from './client.ts';
import type { ProducerCall } from './protocol.ts';

/** A producer at the other end of a port. That a transaction cannot begin, it says at once where it knows it itself. */
export class PortProducer implements LogProducer {
  readonly #connection: Connection;
  readonly #handle: number;
  readonly #transactionalId: string | undefined;
  #open = false;

  constructor(connection: Connection, handle: number, transactionalId: string | undefined) {
    this.#connection = connection;
    this.#handle = handle;
    this.#transactionalId = transactionalId;
  }

  async append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    // Memory of our builders is given away whole; any other may be shared, and is copied.
    const transfer = isLent(batch) ? [batch.buffer as ArrayBuffer] : [];
    return (await this.#call('append', [topic, partition, batch], transfer)) as Position;
  }

  begin(): void {
    this.#connection.check();
    if (this.#transactionalId === undefined) {
      throw new FlowError('log.unsupported', 'begin needs a producer with a transactionalId');
    }
    if (this.#open) {
      throw new FlowError('log.unsupported', `producer ${this.#transactionalId} has begun a transaction already`);
    }
    this.#open = true;
    this.#connection.tell({ on: 'producer', handle: this.#handle, name: 'begin' });
  }

  async sendPositions(
    member: GroupIdentity,
    positions: readonly (TopicPartition & CommittedPosition)[],
  ): Promise<void> {
    await this.#call('sendPositions', [member, positions]);
  }

  async commit(): Promise<void> {
    await this.#call('commit', []);
    this.#open = false;
  }

  async abort(): Promise<void> {
    await this.#call('abort', []);
    this.#open = false;
  }

  async close(): Promise<void> {
    await this.#call('close', []);
  }

  #call(name: ProducerCall, args: readonly unknown[], transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    return this.#connection.call({ on: 'producer', handle: this.#handle, name, args }, transfer);
  }
}
