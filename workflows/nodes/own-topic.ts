import type { AnyTopic, SegmentParts } from '../segments/flows.ts';
import { whole } from './data-plane.ts';

/** Writes what arrives to a topic that only this run has. */
export function ownTopic(parts: SegmentParts): AnyTopic {
  const { config } = parts;
  const topic = parts.topic(`${parts.name}.${parts.node}`, {
    key: config['key'] ?? 'json',
    value: config['value'],
    partitions: whole(config, 'partitions', 1),
  });
  parts.inputs['in']!.records().to(topic);
  parts.writes(topic);
  return topic;
}
