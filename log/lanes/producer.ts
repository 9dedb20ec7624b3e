import type { Bytes } from '../../core/bytes.ts';
import type { Clock } from '../../core/clock.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import { type Position, partitionName, type TopicPartition } from '../../core/ids.ts';
import { basePosition, checkBatch, corrupt, isControl, recordCount } from '../batch-header.ts';
import type { CommittedPosition, GroupIdentity, LogProducer } from '../log.ts';
import type { Row } from './declarations.ts';
import { type Directory, placeOf } from './directory.ts';
import { seal } from './envelope.ts';
import { placePositions } from './group-positions.ts';

export interface LaneProducerParts {
  readonly directory: Directory;
  readonly clock: Clock;
}

export class LaneProducer implements LogProducer {
  readonly #parts: LaneProducerParts;
  readonly #below: LogProducer;
  /** Appends that wait for their topic to be looked up; others queue behind them. */
  #finding = 0;
  #found: Promise<unknown> = Promise.resolve();

  constructor(parts: LaneProducerParts, below: LogProducer) {
    this.#parts = parts;
    this.#below = below;
  }

  append(topic: string, partition: number, batch: Bytes): Promise<Position> {
    const known = this.#parts.directory.known(topic);
    if (known !== undefined && this.#finding === 0) return this.#append(topic, partition, batch, known);
    const find = async () => {
      try {
        return await this.#parts.directory.find(topic);
      } finally {
        this.#finding--;
      }
    };
    this.#finding++;
    const found = this.#found.then(find, find);
    // in the order of calls: what is behind this one waits for the append to have been asked
    const asked = found.then((row) => ({ answer: this.#append(topic, partition, batch, row) }));
    this.#found = asked.then(({ answer }) => void answer.catch(() => undefined));
    return asked.then(({ answer }) => answer);
  }

  begin(): void {
    this.#below.begin();
  }

  async sendPositions(
    member: GroupIdentity,
    positions: readonly (TopicPartition & CommittedPosition)[],
  ): Promise<void> {
    await this.#below.sendPositions(member, await placePositions(positions, this.#parts.directory));
  }

  commit(): Promise<void> {
    return this.#below.commit();
  }

  abort(): Promise<void> {
    return this.#below.abort();
  }

  close(): Promise<void> {
    return this.#below.close();
  }

  async #append(topic: string, partition: number, batch: Bytes, row: Row | null): Promise<Position> {
    const { directory, clock } = this.#parts;
    if (row === null) {
      try {
        return await this.#below.append(topic, partition, batch);
      } catch (thrown) {
        if (isFlowError(thrown, 'topic.missing')) directory.isMissing(topic);
        throw thrown;
      }
    }
    const place = placeOf(row, partition);
    const where = { topic, partition };
    const { maxMessageBytes } = row.settings;
    if (batch.length > maxMessageBytes) {
      throw new FlowError(
        'log.oversize',
        `a batch of ${batch.length} bytes for ${partitionName(topic, partition)} is over the topic's limit of ` +
          `${maxMessageBytes}; raise max.message.bytes, or write smaller batches`,
      );
    }
    checkBatch(batch, 0, batch.length, where);
    if (isControl(batch, 0) || recordCount(batch, 0) === 0) {
      throw corrupt(where, basePosition(batch, 0), 'only records of data can be appended');
    }
    const sealed = seal(batch, row.tags[partition]!, clock.now());
    return (await this.#below.append(place.topic, place.partition, sealed)) - place.begin;
  }
}
