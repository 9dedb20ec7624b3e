import { STATIC_LEFT_OUT } from '../conformance/static.fixture.ts';
import { KAFKA_LEFT_OUT } from '../kafka/left-out.fixture.ts';

const OWN_DEALING = "Who has which task is dealt out by librdkafka's own assignor, not by the member's.";
const RECORDS =
  'librdkafka hands over records, not batches: they come from the position asked for, as many as are ready.';

/** Cases of security that the driver cannot pass, likewise. */
export const CONFLUENT_SECURITY_LEFT_OUT: Readonly<Record<string, string>> = {
  'a certificate of another name than asked for is refused':
    'The bindings take no name other than that of the host: `servername` is refused.',
};

/** Cases of the suite that the driver cannot pass, each with the reason, as docs/drivers.md gives them. */
export const CONFLUENT_LEFT_OUT: Readonly<Record<string, string>> = {
  ...KAFKA_LEFT_OUT,
  ...STATIC_LEFT_OUT,
  'reading: batches come whole; the first may begin below the position asked for': RECORDS,
  'reading: a fetch holds at most its bytes per partition, but always one batch': RECORDS,
  'groups: a second member raises the generation; who loses tasks is asked for them first, and keeps the others':
    OWN_DEALING,
  'groups: metadata described anew asks for no assignment, and reaches the assignor with the next one': OWN_DEALING,
  'groups: groups are listed with members and positions, and deleted only when empty':
    "What librdkafka's members work on nobody else is told: a group is listed without tasks.",
};
