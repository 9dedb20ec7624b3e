import type { Bytes } from '../../core/bytes.ts';
import { FlowError } from '../../core/errors.ts';
import type { Given } from '../log.ts';

/** The form of what members of a group tell one another; newer ones are refused in words. */
const FORMAT = 1;
const NOTHING: Given = { tasks: [], metadata: '' };

/** What a member tells the leader when it takes part in a round. */
export interface Subscription {
  readonly metadata: string;
  /** The tasks it works on. */
  readonly owned: readonly string[];
  /** Rises with each request for a new assignment, so that the broker sees a change. */
  readonly round: number;
}

/** What the leader gives to a member. */
export interface Share {
  readonly generation: number;
  /** False where tasks must be given up first: nobody's tasks change in this round, and another follows. */
  readonly final: boolean;
  /** Its tasks, in a final round, and what the assignor said to it beside them. */
  readonly tasks: readonly string[];
  readonly metadata: string;
  /** What it has to give up, in the other. */
  readonly revoke: readonly string[];
}

export interface Subscriber extends Subscription {
  readonly member: string;
}

/**
 * The shares under a plan. A task is given to another only in a round after that in which its owner was asked for it,
 * so that never two work on it; who keeps its tasks goes on with them through both.
 */
export function deal(
  subscribers: readonly Subscriber[],
  plan: ReadonlyMap<string, Given>,
  generation: number,
): ReadonlyMap<string, Share> {
  const lost = new Map<string, readonly string[]>();
  for (const { member, owned } of subscribers) {
    const kept = new Set(plan.get(member)?.tasks);
    lost.set(
      member,
      owned.filter((task) => !kept.has(task)),
    );
  }
  const final = [...lost.values()].every((tasks) => tasks.length === 0);
  return new Map(
    subscribers.map(({ member }) => {
      const { tasks, metadata } = (final ? plan.get(member) : undefined) ?? NOTHING;
      return [member, { generation, final, tasks, metadata, revoke: lost.get(member)! }];
    }),
  );
}

export function encodeSubscription(subscription: Subscription): Bytes {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...subscription }));
}

export function decodeSubscription(bytes: Bytes, group: string): Subscription {
  return decode<Subscription>(bytes, group);
}

export function encodeShare(share: Share): Bytes {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...share }));
}

export function decodeShare(bytes: Bytes, group: string): Share {
  return decode<Share>(bytes, group);
}

/** What a member was given, as the broker tells it to anybody; `undefined` where it is none of ours. */
export function shareOf(assignment: Bytes): Share | undefined {
  try {
    return decodeShare(assignment, '');
  } catch {
    return undefined;
  }
}

function decode<T>(bytes: Bytes, group: string): T {
  let found: (T & { readonly format?: number }) | undefined;
  try {
    found = JSON.parse(bytes.toString('utf8'));
  } catch {
    // Told below.
  }
  if (found?.format === FORMAT) return found;
  throw new FlowError(
    'log.format',
    `a member of group ${group} speaks format ${found?.format ?? 'unknown'} where this version speaks ${FORMAT}; ` +
      'run the same version everywhere, or another group name for other applications',
  );
}
