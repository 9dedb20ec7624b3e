import type { Bytes } from '../../core/bytes.ts';
import {
  decodeShare,
  decodeSubscription,
  encodeShare,
  encodeSubscription,
  type Share,
  type Subscription,
} from '../clients/shares.ts';
import type { Library } from './library.ts';

/** What members of a group say to one another stands in the free part of the protocol of consumers. */
const VERSION = 0;

interface Speaking {
  readonly library: Library;
}

/**
 * `topics` are those that the group has positions of: brokers let positions of other topics expire while a group of
 * consumers is at work.
 */
export function packSubscription({ library }: Speaking, topics: readonly string[], subscription: Subscription): Bytes {
  const userData = encodeSubscription(subscription);
  return library.AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics: [...topics], userData }) as Bytes;
}

/** Fails with `log.format` on what is none of ours. */
export function unpackSubscription({ library }: Speaking, bytes: Bytes, group: string): Subscription {
  const found = library.AssignerProtocol.MemberMetadata.decode(bytes);
  return decodeSubscription((found?.userData ?? Buffer.of()) as Bytes, group);
}

export function packShare({ library }: Speaking, share: Share): Bytes {
  const userData = encodeShare(share);
  return library.AssignerProtocol.MemberAssignment.encode({ version: VERSION, assignment: {}, userData }) as Bytes;
}

export function unpackShare({ library }: Speaking, bytes: Bytes, group: string): Share {
  const found = library.AssignerProtocol.MemberAssignment.decode(bytes);
  return decodeShare((found?.userData ?? Buffer.of()) as Bytes, group);
}

/** What a member was given, as the broker tells it to anybody; `undefined` where it is none of ours. */
export function shareIn(speaking: Speaking, assignment: Bytes): Share | undefined {
  try {
    return unpackShare(speaking, assignment, '');
  } catch {
    return undefined;
  }
}
