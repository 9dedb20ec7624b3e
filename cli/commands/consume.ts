import { FlowError, isFlowError } from '../../core/errors.ts';
import { type Serde, toPlain } from '../../schemas/schemas.ts';
import type { Call, Command } from '../command.ts';
import { momentOf } from '../duration.ts';
import { withLog } from '../engine.ts';
import { numberOption } from '../parse.ts';
import { type ReadRecord, type ReadTopic, readTopic } from '../read-topic.ts';
import { SERDE_OPTIONS, topicSerdes } from '../topic-serdes.ts';
import { existingTopic } from './topics.ts';

export const consume: Command = {
  name: 'consume',
  parameters: '<topic>',
  about: 'Prints the committed records of a topic, decoded, up to its present end.',
  words: { min: 1, max: 1 },
  options: {
    ...SERDE_OPTIONS,
    key: { value: 'key', about: 'Only records with this key, as it is printed.' },
    partition: { value: 'number', about: 'Only this partition.' },
    from: {
      value: 'position',
      about: 'start (default), end, a position in each partition, or a time with its zone: 2026-01-31T12:00:00Z.',
    },
    limit: { value: 'count', about: 'At most this many records.' },
    follow: { about: 'Goes on with what comes, until stopped.' },
  },
  async run(call, world) {
    const [topic] = call.words as [string];
    const limit = numberOption(call, 'limit') ?? Infinity;
    const only = numberOption(call, 'partition');
    const from = fromOf(call);
    const declared = await topicSerdes(call, topic, world);
    const wanted = call.option('key');
    return withLog(call, world, async (engine) => {
      const { log } = engine;
      const serdes = await declared.bind(engine);
      const { settings } = await existingTopic(log.admin, topic);
      if (only !== undefined && only >= settings.partitions) {
        throw new FlowError('option.unknown', `${topic} has partitions 0 to ${settings.partitions - 1}, not ${only}`);
      }
      const all = Array.from({ length: settings.partitions }, (_, partition) => partition);
      const partitions = all.filter((partition) => only === undefined || partition === only);
      let printed = 0;
      const print = (record: ReadRecord) => {
        const key = decode(serdes.key, record.key, 'key', record);
        if (wanted !== undefined && keyText(key) !== wanted) return true;
        world.out(line(record, key, decode(serdes.value, record.value, 'value', record), call.json));
        return ++printed < limit;
      };
      const follow = call.option('follow') !== undefined;
      if (limit > 0) await readTopic(log, { topic, partitions, from, follow, stop: world.stop }, print);
      return 0;
    });
  },
};

function fromOf(call: Call): ReadTopic['from'] {
  const written = call.option('from') ?? 'start';
  if (written === 'start' || written === 'end') return written;
  if (/^\d+$/.test(written)) return Number(written);
  const since = momentOf(written);
  if (since !== undefined) return { since };
  const takes = 'start, end, a position, or a time with its zone such as 2026-01-31T12:00:00Z';
  throw new FlowError('option.unknown', `--from takes ${takes}, not ${written}; see nodeflow help consume`);
}

function decode(
  serde: Serde<unknown>,
  bytes: Buffer | null,
  what: string,
  { topic, partition, position }: ReadRecord,
): unknown {
  if (bytes === null) return null;
  try {
    return toPlain(serde.decode(bytes, 0, bytes.length));
  } catch (thrown) {
    if (isFlowError(thrown, 'registry.unknown')) throw thrown;
    const place = `the ${what} of ${topic}/${partition} at position ${position} is no ${serde.name}`;
    const cure = `choose another with --${what}-serde, or give --topology <file>`;
    throw new FlowError('schema.mismatch', `${place}; ${cure}`, { cause: thrown });
  }
}

function line(record: ReadRecord, key: unknown, value: unknown, json: boolean): string {
  const { topic, partition, position, timestamp, headers } = record;
  const hasHeaders = Object.keys(headers).length > 0;
  if (json) {
    const shown = { topic, partition, position, timestamp, key: plain(key), value: plain(value) };
    return JSON.stringify(hasHeaders ? { ...shown, headers } : shown);
  }
  const time = new Date(timestamp).toISOString();
  const text = typeof value === 'string' ? value : JSON.stringify(plain(value));
  const tail = hasHeaders ? `  ${JSON.stringify(headers)}` : '';
  return `${partition}/${position}  ${time}  ${keyText(key)}  ${text}${tail}`;
}

function keyText(key: unknown): string {
  return typeof key === 'string' ? key : JSON.stringify(plain(key));
}

/** Bytes print as base64. */
function plain(value: unknown): unknown {
  return Buffer.isBuffer(value) ? value.toString('base64') : value;
}
