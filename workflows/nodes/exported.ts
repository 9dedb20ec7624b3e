import type { ExportSpec, Flow, SegmentParts } from '../segments/flows.ts';
import { whole } from './data-plane.ts';

/** Ends in a topic of the run alone, from which an export brings the records to another system. */
export function exported(parts: SegmentParts, target: ExportSpec): { readonly [port: string]: Flow } {
  const { config } = parts;
  const topic = parts.topic(`${parts.name}.${parts.node}`, {
    key: config['key'] ?? 'json',
    value: config['value'],
    partitions: whole(config, 'partitions', 1),
  });
  parts.inputs['in']!.records().to(topic);
  parts.writes(topic);
  parts.export(topic, target);
  return {};
}
