import { FlowError } from '../../core/errors.ts';
import type { ProducerRow } from './journal-frame.ts';
import type { FileProducer } from './producer.ts';

/** Producer ids and epochs by transactional id. The highest epoch may write, all others are fenced. */
export class Producers {
  nextId = 1;
  readonly #rows = new Map<string, { id: number; epoch: number }>();
  readonly #current = new Map<string, FileProducer>();

  restore([transactionalId, id, epoch]: ProducerRow): void {
    this.#rows.set(transactionalId, { id, epoch });
    this.nextId = Math.max(this.nextId, id + 1);
  }

  /** Takes the next epoch; whoever had the one before is fenced from now on. */
  raise(transactionalId: string): ProducerRow {
    const row = this.#rows.get(transactionalId);
    const next =
      row === undefined || row.epoch >= 32766 ? { id: this.nextId++, epoch: 0 } : { id: row.id, epoch: row.epoch + 1 };
    this.#rows.set(transactionalId, next);
    return [transactionalId, next.id, next.epoch];
  }

  /** Puts a new producer in place; answers the one before. */
  replace(transactionalId: string, producer: FileProducer | undefined): FileProducer | undefined {
    const before = this.#current.get(transactionalId);
    if (producer === undefined) this.#current.delete(transactionalId);
    else this.#current.set(transactionalId, producer);
    return before;
  }

  current(transactionalId: string): FileProducer | undefined {
    return this.#current.get(transactionalId);
  }

  check(transactionalId: string, id: number, epoch: number): void {
    const row = this.#rows.get(transactionalId);
    if (row?.id === id && row.epoch === epoch) return;
    throw new FlowError(
      'log.fenced',
      `producer ${transactionalId} of epoch ${epoch} was fenced: a newer one took over, or its transaction took too long`,
    );
  }

  rows(): ProducerRow[] {
    return [...this.#rows].map(([transactionalId, { id, epoch }]) => [transactionalId, id, epoch]);
  }
}
