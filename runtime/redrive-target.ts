import { FlowError } from '../core/errors.ts';
import { readPlain } from '../log/batch.ts';
import { type Log, partitionForKey } from '../log/log.ts';
import { redriveHeaders } from './letter-record.ts';
import type { LetterRecord, Place, RecordChange, RecordLetter, RedriveTarget } from './letters.ts';
import { recordAt } from './record-at.ts';

/** Where a letter goes when it is redriven, and what. Fails with `dead-letter.not-redrivable`, `dead-letter.unfit`. */
export async function redriveTarget(log: Log, letter: RecordLetter, change: RecordChange = {}): Promise<RedriveTarget> {
  checkChange(letter, change);
  const from = originOf(letter);
  const found = await log.admin.describe(from.topic);
  if (found === undefined) throw refused(letter, `topic ${from.topic}, where it was read, is not there any more`);
  const base = await baseOf(log, letter, from, change);
  const record = { ...base, ...change };
  const { partitions } = found.settings;
  const stays = change.key === undefined && from.partition < partitions;
  const { key } = record;
  const partition =
    stays || (key === null && from.partition < partitions)
      ? from.partition
      : key === null
        ? 0
        : partitionForKey(key, 0, key.length, partitions);
  const headers = redriveHeaders(record.headers, letter.id, letter.redrives);
  return { topic: from.topic, partition, record: { ...record, headers } };
}

function originOf(letter: RecordLetter): Place {
  const { from, node, task } = letter;
  if (from === null) {
    throw refused(
      letter,
      `it does not say where it was read: ${node} gave up the result of a call, and ${task} reads more than one topic; ` +
        'write the record to its topic by hand (nodeflow produce)',
    );
  }
  if (!from.topic.startsWith('@')) return from;
  throw refused(
    letter,
    `it was read from the source of ${from.topic.slice(1)}, which is no topic: correct that source, and run it again`,
  );
}

/** What is sent where nothing else is said. What the letter does not have is read anew. */
async function baseOf(log: Log, letter: RecordLetter, from: Place, change: RecordChange): Promise<LetterRecord> {
  const { record, hidden, node } = letter;
  const isWhole = hidden.length === 0 || change.headers !== undefined;
  const isSame = !letter.ofNode || (change.key !== undefined && change.value !== undefined);
  if (isWhole && isSame) return record;
  const read = await recordAt(log, from, readPlain);
  if (read !== undefined) return letter.ofNode ? read : { ...record, headers: read.headers };
  const gone = `${from.topic}/${from.partition} does not hold position ${from.position} any more`;
  if (!isSame)
    throw refused(letter, `${gone}, and what is kept is what ${node} made of that record; give key and value`);
  throw refused(letter, `${gone}, and ${hidden.join(', ')} were left out of the letter as secrets; give all headers`);
}

function checkChange(letter: RecordLetter, { timestamp, headers = [] }: RecordChange): void {
  const own = headers.find(({ name }) => name.startsWith('nf.'));
  const unfit = (what: string) => new FlowError('dead-letter.unfit', `${letter.id} cannot be sent so: ${what}`);
  if (own !== undefined) throw unfit(`the header ${own.name} is one of the engine's; leave it out`);
  if (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && timestamp >= 0)) {
    throw unfit(`the timestamp ${timestamp} is no number of milliseconds`);
  }
}

function refused({ id }: RecordLetter, why: string): FlowError {
  return new FlowError('dead-letter.not-redrivable', `${id} cannot be redriven: ${why}`);
}
