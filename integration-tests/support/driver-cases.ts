import { CONFLUENT_LEFT_OUT, CONFLUENT_SECURITY_LEFT_OUT } from '../../log/confluent/left-out.fixture.ts';
import { KAFKA_LEFT_OUT } from '../../log/kafka/left-out.fixture.ts';
import { SECURITY_CASES } from '../../log/kafka/security.conformance.ts';
import { KAFKAJS_LEFT_OUT } from '../../log/kafkajs/left-out.fixture.ts';
import { LANES_LEFT_OUT } from '../../log/lanes/left-out.fixture.ts';
import { LOG_CASES } from '../../log/log.conformance.ts';

export const CASES_HEADING = '## Cases of the suite';

/** By driver and case, the reason. */
type LeftOut = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What each driver's test leaves out, by case, with the reason; it runs all others, and fails where one does not pass. */
const LEFT_OUT: LeftOut = {
  file: {},
  memory: {},
  kafka: KAFKA_LEFT_OUT,
  kafkajs: KAFKAJS_LEFT_OUT,
  confluent: CONFLUENT_LEFT_OUT,
  lanes: LANES_LEFT_OUT,
};

/** Likewise, on brokers that want credentials, certificates and rights. */
const SECURITY_LEFT_OUT: LeftOut = { kafka: {}, kafkajs: {}, confluent: CONFLUENT_SECURITY_LEFT_OUT };

/** The end of docs/drivers.md, which says which case each driver passes, from the tables that the tests run by. */
export function driverCases(): string {
  const reasons = [LEFT_OUT, SECURITY_LEFT_OUT].flatMap((all) => Object.values(all).flatMap(Object.values<string>));
  const numbered = [...new Set(reasons)];
  const table = (names: readonly string[], leftOut: LeftOut) => {
    const drivers = Object.keys(leftOut);
    const cell = (driver: string, name: string) => {
      const reason = leftOut[driver]![name];
      return reason === undefined ? 'yes' : `no (${numbered.indexOf(reason) + 1})`;
    };
    return [
      `case | ${drivers.map((driver) => `\`${driver}\``).join(' | ')}`,
      ['---', ...drivers.map(() => '---')].join(' | '),
      ...names.map((name) => [name, ...drivers.map((driver) => cell(driver, name))].join(' | ')),
      '',
    ];
  };
  return [
    CASES_HEADING,
    '',
    'The test of each driver runs every case but those that say no here, on a real broker where it is one of Kafka. ' +
      'This table comes from what those tests are given (`npm run docs`). `lanes` are topics of small runs within others, ' +
      'over `memory`, `file` and `kafka` (log/lanes/lanes.ts).',
    '',
    ...table(LOG_CASES, LEFT_OUT),
    'And those of Kafka on a broker with an authorizer and listeners of SASL, TLS and both, whose sessions end after ' +
      'two seconds:',
    '',
    ...table(SECURITY_CASES, SECURITY_LEFT_OUT),
    ...numbered.map((reason, i) => `${i + 1}. ${reason}`),
    '',
  ].join('\n');
}
