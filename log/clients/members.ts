import type { GroupIdentity } from '../log.ts';

/** What a member of a group, joined through this driver, tells of itself. */
export interface Membership {
  /** As last assigned; what the application knows. */
  readonly identity: GroupIdentity;
  /** The generation under which the broker has the member now. */
  readonly generation: number;
  /** A round of joining is under way, after which the broker's generation is known again; `undefined` where none is. */
  readonly round: Promise<void> | undefined;
  leave(): Promise<void>;
}

/**
 * The members joined through this driver. A rebalance in which tasks are given up takes two rounds, and so two
 * generations of the broker; the first changes nobody's tasks, so what was assigned before it still holds, under
 * the broker's new number.
 */
export class Members {
  /** Also those that have not come in yet. */
  readonly #members = new Set<Membership>();
  readonly #lanes = new Set<string>();

  /** A name for the connection of a member, of which no two at a time are alike. */
  laneOf(name: string): string {
    for (let serial = 1; ; serial++) {
      const lane = `${name}-${serial}`;
      if (this.#lanes.has(lane)) continue;
      this.#lanes.add(lane);
      return lane;
    }
  }

  add(membership: Membership): void {
    this.#members.add(membership);
  }

  /** Forgets a member and the name of its connection, which may be used again. */
  remove(membership: Membership, lane: string): void {
    this.#members.delete(membership);
    this.#lanes.delete(lane);
  }

  /** Leaves every group. */
  async close(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.leave()));
  }

  /** Whether this is the last assignment of a member here. */
  holds(identity: GroupIdentity): boolean {
    return this.#holder(identity) !== undefined;
  }

  /** The identity under which the broker knows an assignment. */
  current(identity: GroupIdentity): GroupIdentity {
    const known = this.#holder(identity);
    return known === undefined ? identity : { ...identity, generation: known.generation };
  }

  /**
   * Whether an assignment that the broker refused, asked under `asked`, still holds and may be asked again; waits
   * for the round under way.
   */
  async moved(identity: GroupIdentity, asked: GroupIdentity): Promise<boolean> {
    const known = this.#holder(identity);
    if (known === undefined) return false;
    const moved = known.round !== undefined || known.generation !== asked.generation;
    await known.round;
    return moved && this.#holder(identity) !== undefined;
  }

  /** The member whose last assignment this identity is. */
  #holder({ member, generation }: GroupIdentity): Membership | undefined {
    return [...this.#members].find(({ identity }) => identity.member === member && identity.generation === generation);
  }
}
