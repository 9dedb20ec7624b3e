import { FlowError } from '../core/errors.ts';
import type { Assign, GroupMember, Log } from '../log/log.ts';

const TURN = 'turn';

/**
 * Does something that one process of an application at a time may do, on whatever machine: they queue in a group of
 * their own, whose one task is the turn. A process that dies loses its turn with its session.
 */
export async function alone<T>(log: Log, application: string, work: () => Promise<T>): Promise<T> {
  const turn = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const member: GroupMember = await log.join({
    group: `nf.${application}.turn`,
    name: application,
    metadata: '',
    assign: oneTurn,
    onAssign: ({ tasks }) => {
      if (tasks.includes(TURN)) turn.resolve();
    },
    onRevoke: async () => undefined,
    onLost: (reason) => lost.reject(new FlowError('log.timeout', reason)),
  });
  try {
    await Promise.race([turn.promise, lost.promise]);
    return await Promise.race([work(), lost.promise]);
  } finally {
    await member.leave().catch(() => undefined);
  }
}

/** Who has the turn keeps it until it leaves. */
const oneTurn: Assign = (members) => {
  const holder = members.find(({ owned }) => owned.includes(TURN)) ?? members[0];
  return new Map(
    members.map(({ member }) => [member, { tasks: member === holder?.member ? [TURN] : [], metadata: '' }]),
  );
};
