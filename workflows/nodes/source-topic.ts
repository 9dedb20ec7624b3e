import type { NodeType } from '../catalog.ts';
import { FORMAT } from '../segments/formats.ts';
import { topicFlow } from '../segments/make-flow.ts';
import { EXPRESSION, NAME, PARTITIONS, RECORD, STREAM_OUT, text, whole } from './data-plane.ts';
import { exampleDocument, fields } from './example.ts';

export const sourceTopic: NodeType = {
  name: 'source.topic',
  version: 1,
  title: 'Topic',
  description:
    'The records of a topic. A batch reads to where the topic ends when it begins, a streaming run goes on until it is ' +
    'drained, and a realtime run reads one record, the input of the execution: { key, value, timestamp }.',
  inputs: {},
  outputs: STREAM_OUT,
  config: fields(
    {
      topic: NAME,
      key: FORMAT,
      value: FORMAT,
      partitions: PARTITIONS,
      time: { ...(EXPRESSION as object), description: 'event time in milliseconds; default: the timestamp' },
    },
    ['topic'],
  ),
  expressions: [{ pointer: '/time', expect: 'number', records: RECORD }],
  behaviour: {
    kind: 'operator',
    build(parts) {
      const { config } = parts;
      const topic = parts.topic(parts.inputTopic(text(config, 'topic')!), {
        key: config['key'] ?? 'string',
        value: config['value'],
        partitions: whole(config, 'partitions', 1),
      });
      const time = text(config, 'time');
      return { out: topicFlow(parts, topic, time === undefined ? {} : { time: parts.expr(time) }) };
    },
  },
  example: {
    document: exampleDocument(
      [
        { id: 'orders', type: 'source.topic', data: { config: { topic: 'orders' } } },
        { id: 'all', type: 'collect' },
      ],
      [{ source: 'orders', target: 'all' }],
    ),
    input: { key: 'ann', value: { total: 3 }, timestamp: 0 },
    output: { all: [{ total: 3 }] },
  },
};
