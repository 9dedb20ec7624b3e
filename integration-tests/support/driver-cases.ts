import { CONFLUENT_LEFT_OUT } from '../../log/confluent/left-out.fixture.ts';
import { KAFKA_LEFT_OUT } from '../../log/kafka/left-out.fixture.ts';
import { KAFKAJS_LEFT_OUT } from '../../log/kafkajs/left-out.fixture.ts';
import { LOG_CASES } from '../../log/log.conformance.ts';

export const CASES_HEADING = '## Cases of the suite';

/** What each driver's test leaves out, by case, with the reason; it runs all others, and fails where one does not pass. */
const LEFT_OUT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  file: {},
  memory: {},
  kafka: KAFKA_LEFT_OUT,
  kafkajs: KAFKAJS_LEFT_OUT,
  confluent: CONFLUENT_LEFT_OUT,
};

/** The section of docs/drivers.md that says which case each driver passes, from the tables that the tests run by. */
export function driverCases(): string {
  const drivers = Object.keys(LEFT_OUT);
  const reasons = [...new Set(drivers.flatMap((driver) => Object.values(LEFT_OUT[driver]!)))];
  const cell = (driver: string, name: string) => {
    const reason = LEFT_OUT[driver]![name];
    return reason === undefined ? 'yes' : `no (${reasons.indexOf(reason) + 1})`;
  };
  return [
    CASES_HEADING,
    '',
    'The test of each driver runs every case but those that say no here, on a real broker where it is one of Kafka. ' +
      'This table comes from what those tests are given (`npm run docs`).',
    '',
    `case | ${drivers.map((driver) => `\`${driver}\``).join(' | ')}`,
    ['---', ...drivers.map(() => '---')].join(' | '),
    ...LOG_CASES.map((name) => [name, ...drivers.map((driver) => cell(driver, name))].join(' | ')),
    '',
    ...reasons.map((reason, i) => `${i + 1}. ${reason}`),
    '',
  ].join('\n');
}
