import type { Millis } from '../../core/ids.ts';
import type { Marker } from '../control.ts';
import type { Partition } from './partition.ts';
import type { GroupPositions, PositionRow } from './positions.ts';

/** One transaction from its first append to its last marker. */
export class Transaction {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Where it has records. */
  readonly partitions = new Set<Partition>();
  /** Its input positions, by group. */
  readonly positions = new Map<GroupPositions, PositionRow[]>();
  /** How it was decided; `undefined` while it is open. */
  outcome: Marker | undefined;
  /** Cancels the timer that aborts it. */
  stopTimer: () => void = () => undefined;
  #markersDue = false;
  #positionsDue = false;

  constructor(producerId: number, producerEpoch: number) {
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
  }

  addPositions(group: GroupPositions, rows: readonly PositionRow[]): void {
    const before = this.positions.get(group) ?? [];
    this.positions.set(group, [...before, ...rows]);
    group.hold(this, rows);
  }

  decide(outcome: Marker): void {
    this.outcome = outcome;
    this.stopTimer();
    this.#markersDue = true;
    this.#positionsDue = true;
  }

  /** Writes the markers, once. */
  writeMarkers(now: Millis): void {
    if (!this.#markersDue) return;
    this.#markersDue = false;
    for (const partition of this.partitions) partition.mark(this, this.outcome!, now);
  }

  /** Makes the input positions count, or drops them, once. */
  settlePositions(): void {
    if (!this.#positionsDue) return;
    this.#positionsDue = false;
    for (const [group, rows] of this.positions) group.settle(this, this.outcome === 'commit' ? rows : []);
  }
}
