/**
 * Joins of streams over plain lists, as Kafka Streams writes them down: slow, obvious, and the oracle for the real ones.
 * When it looks for what waits, and what it then remembers as the earliest time, is Kafka's own, odd as it is.
 */
export interface JoinEvent {
  readonly side: 'left' | 'right';
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

export interface JoinSpec {
  readonly how: 'inner' | 'left' | 'outer';
  readonly before: number;
  readonly after: number;
  readonly grace: number;
}

export interface Joined {
  readonly key: string | null;
  readonly value: string;
  readonly timestamp: number;
}

interface Waiting {
  readonly left: boolean;
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
  readonly order: number;
}

export class NaiveJoin {
  readonly results: Joined[] = [];
  readonly drops: string[] = [];
  readonly #spec: JoinSpec;
  readonly #kept: JoinEvent[] = [];
  readonly #clocks = { left: -1, right: -1 };
  #waiting: Waiting[] = [];
  #clock = -1;
  #order = 0;
  #minTime = Number.POSITIVE_INFINITY;

  constructor(spec: JoinSpec) {
    this.#spec = spec;
  }

  take(event: JoinEvent): void {
    const { side, key, value, timestamp: at } = event;
    const { how, before, after, grace } = this.#spec;
    const left = side === 'left';
    const alone = how === 'outer' || (how === 'left' && left);
    const [back, ahead] = left ? [before, after] : [after, before];
    this.#clock = Math.max(this.#clock, at);
    if (value === null) {
      this.drops.push('null-value');
      return;
    }
    if (key === null) {
      if (alone) this.#emit(null, left, value, null, at);
      else this.drops.push('null-key');
      return;
    }
    const retention = before + after + grace;
    this.#clocks[side] = Math.max(this.#clocks[side], at);
    if (at > this.#clocks[side] - retention) this.#kept.push(event);
    else this.drops.push('late');
    if (at === this.#clock && this.#minTime + ahead + grace < this.#clock) this.#flush();
    const from = Math.max(0, at - back);
    const to = Math.max(0, at + ahead);
    const other = left ? 'right' : 'left';
    const partners = this.#kept
      .filter((each) => each.side === other && each.key === key)
      .filter(({ timestamp }) => timestamp > this.#clocks[other] - retention && timestamp >= from && timestamp <= to)
      .sort((a, b) => a.timestamp - b.timestamp);
    for (const partner of partners) {
      this.#waiting = this.#waiting.filter(
        (each) => each.left === left || each.key !== key || each.timestamp !== partner.timestamp,
      );
      this.#emit(key, left, value, partner.value, Math.max(at, partner.timestamp));
    }
    if (partners.length > 0 || !alone) return;
    if (to < this.#clock) this.#emit(key, left, value, null, at);
    else {
      this.#minTime = Math.min(this.#minTime, at);
      this.#waiting.push({ left, key, value, timestamp: at, order: this.#order++ });
    }
  }

  /** All that waits comes out. */
  end(): void {
    this.#clock = Number.POSITIVE_INFINITY;
    this.#flush();
  }

  #flush(): void {
    const { before, after, grace } = this.#spec;
    const open = { left: false, right: false };
    const gone = new Set<Waiting>();
    this.#minTime = Number.POSITIVE_INFINITY;
    for (const each of this.#waiting.sort(inOrder)) {
      this.#minTime = each.timestamp;
      if (open.left && open.right) break;
      if (each.timestamp + (each.left ? after : before) + grace >= this.#clock) {
        open[each.left ? 'left' : 'right'] = true;
        continue;
      }
      gone.add(each);
      this.#emit(each.key, each.left, each.value, null, each.timestamp);
    }
    this.#waiting = this.#waiting.filter((each) => !gone.has(each));
  }

  #emit(key: string | null, left: boolean, own: string, other: string | null, timestamp: number): void {
    const value = left ? `${key}: ${own}+${other}` : `${key}: ${other}+${own}`;
    this.results.push({ key, value, timestamp });
  }
}

/** By time, right before left, then by key bytes, then as they came. */
function inOrder(a: Waiting, b: Waiting): number {
  return (
    a.timestamp - b.timestamp ||
    Number(a.left) - Number(b.left) ||
    Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) ||
    a.order - b.order
  );
}
