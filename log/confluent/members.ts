import { FlowError } from '../../core/errors.ts';
import type { GroupIdentity } from '../log.ts';
import type { LibraryConsumer, Placed } from './library.ts';

export interface Membership {
  readonly identity: GroupIdentity;
  readonly consumer: LibraryConsumer;
  /** Commits positions in the member's name, outside of transactions. */
  store(positions: readonly Placed[]): Promise<void>;
  leave(): Promise<void>;
}

/** The members joined through this driver: positions are sent by a member's own consumer. */
export class ConfluentMembers {
  /** By the ids that brokers have given them. */
  readonly #members = new Map<string, Membership>();
  /** Also those that have not come in yet: a consumer that is left open keeps the process from ending. */
  readonly #open = new Set<Membership>();

  enter(membership: Membership): void {
    this.#open.add(membership);
  }

  add(member: string, membership: Membership): void {
    this.#members.set(member, membership);
  }

  remove(membership: Membership): void {
    this.#members.delete(membership.identity.member);
    this.#open.delete(membership);
  }

  /** Fails with `log.generation` unless this is the last assignment of a member here. */
  holder({ group, member, generation }: GroupIdentity): Membership {
    const known = this.#members.get(member);
    if (known?.identity.generation === generation) return known;
    throw new FlowError(
      'log.generation',
      `member ${member} of group ${group} is of generation ${generation}, and here of ` +
        `${known?.identity.generation ?? 'none'}; wait for the next assignment`,
    );
  }

  /** Leaves every group. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((member) => member.leave()));
  }
}
