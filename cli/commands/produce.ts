import { TextDecoder } from 'node:util';
import { ByteWriter } from '../../core/bytes.ts';
import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import type { Log } from '../../log/log.ts';
import type { Call, Command } from '../command.ts';
import { withLog } from '../engine.ts';
import { readLines } from '../lines.ts';
import { numberOption } from '../parse.ts';
import { encoded, invalid, recordOfJson, recordOfText } from '../read-record.ts';
import { SERDE_OPTIONS, type TopicSerdes, topicSerdes } from '../topic-serdes.ts';
import { TopicWriter } from '../topic-writer.ts';
import type { World } from '../world.ts';
import { existingTopic } from './topics.ts';

export const produce: Command = {
  name: 'produce',
  parameters: '<topic>',
  about:
    'Writes a record to a topic for each line of standard input: JSON objects with key, value, and perhaps timestamp ' +
    'and headers, as consume --json prints them.',
  words: { min: 1, max: 1 },
  options: {
    ...SERDE_OPTIONS,
    plain: { about: 'Lines are values as they stand, without keys.' },
    'key-separator': { value: 'text', about: 'Lines are a key, this text, and a value as they stand.' },
    partition: { value: 'number', about: 'Everything to this partition; else the key says which.' },
  },
  async run(call, world) {
    const [topic] = call.words as [string];
    const partition = numberOption(call, 'partition');
    const declared = await topicSerdes(call, topic, world);
    const parse = parserOf(call, declared);
    return withLog(call, world, async (engine) => {
      const { log } = engine;
      const serdes = await declared.bind(engine, { write: true });
      const written = await writeAll(log, { topic, partition, serdes, parse }, world);
      if (call.json) world.out(JSON.stringify({ topic, records: written }));
      else world.out(`wrote ${written.toLocaleString('en-US')} records to ${topic}`);
      return 0;
    });
  },
};

type Parse = (line: string) => ReturnType<typeof recordOfJson> | undefined;

interface Job {
  readonly topic: string;
  readonly partition: number | undefined;
  readonly serdes: TopicSerdes;
  readonly parse: Parse;
}

function parserOf(call: Call, serdes: TopicSerdes): Parse {
  const separator = call.option('key-separator');
  if (separator === '') throw new FlowError('option.unknown', '--key-separator takes a text, such as =');
  if (call.option('plain') !== undefined || separator !== undefined) {
    return (line) => recordOfText(line, separator, serdes);
  }
  return (line) => (line.trim() === '' ? undefined : recordOfJson(line));
}

async function writeAll(log: Log, { topic, partition, serdes, parse }: Job, world: World): Promise<number> {
  const { settings } = await existingTopic(log.admin, topic);
  const { partitions, maxMessageBytes } = settings;
  if (partition !== undefined && partition >= partitions) {
    throw new FlowError('option.unknown', `${topic} has partitions 0 to ${partitions - 1}, not ${partition}`);
  }
  const producer = await log.producer({});
  const writer = new TopicWriter(producer, topic, { partitions, maxBytes: maxMessageBytes });
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const buffer = new ByteWriter();
  const encode = (serde: TopicSerdes['key'], value: unknown) => {
    buffer.clear();
    serde.encode(value, buffer);
    return Buffer.from(buffer.bytes.subarray(0, buffer.at));
  };
  const take = async (bytes: Uint8Array) => {
    const record = parse(textOf(decoder, bytes));
    if (record === undefined) return;
    const { headers, timestamp = world.clock.now() } = record;
    const key = encoded(serdes.key, record.key, 'key', encode);
    const value = encoded(serdes.value, record.value, 'value', encode);
    const size = (key?.length ?? 0) + (value?.length ?? 0);
    if (size > maxMessageBytes) {
      throw invalid(
        `it has ${size} bytes where ${topic} takes ${maxMessageBytes}; raise max.message.bytes of the topic`,
      );
    }
    await writer.write({ partition, key, value, timestamp, headers });
  };
  try {
    await readLines(world.input, world.clock, world.stop, {
      line: async (bytes, number) => {
        try {
          await take(bytes);
        } catch (thrown) {
          if (!isFlowError(thrown, 'input.invalid')) throw thrown;
          await writer.flush();
          const text = `line ${number}: ${thrown.message}; ${writtenSoFar(writer.written)}, nothing from it on`;
          throw new FlowError('input.invalid', text, { cause: thrown });
        }
      },
      idle: () => writer.flush(),
    });
    await writer.flush();
  } catch (thrown) {
    if (!isFlowError(thrown) || thrown.code === 'input.invalid') throw thrown;
    const text = `${messageOf(thrown)}; ${writer.written} records are written for certain`;
    throw new FlowError(thrown.code, text, { cause: thrown });
  } finally {
    await producer.close();
  }
  return writer.written;
}

function textOf(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalid('it is not UTF-8');
  }
}

function writtenSoFar(count: number): string {
  if (count === 0) return 'nothing was written before it';
  return count === 1 ? 'the record before it is written' : `the ${count} records before it are written`;
}
