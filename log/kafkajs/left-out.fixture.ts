import { STATIC_LEFT_OUT } from '../conformance/static.fixture.ts';
import { KAFKA_LEFT_OUT } from '../kafka/left-out.fixture.ts';

/** Cases of the suite that the driver cannot pass, each with the reason, as docs/drivers.md gives them. */
export const KAFKAJS_LEFT_OUT: Readonly<Record<string, string>> = {
  ...KAFKA_LEFT_OUT,
  ...STATIC_LEFT_OUT,
  'admin: a topic made anew under the same name has another id and nothing in it':
    'kafkajs speaks versions of the protocol that know no topic ids: a topic made anew is not told from the one before.',
  'groups: committed waits while an open transaction holds one of the positions':
    'kafkajs speaks versions of the protocol that answer positions as they stand, whatever a transaction holds.',
};
