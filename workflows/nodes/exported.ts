import type { ExportSpec, Flow, SegmentParts } from '../segments/flows.ts';
import { ownTopic } from './own-topic.ts';

/** Ends in a topic of the run alone, from which an export brings the records to another system. */
export function exported(parts: SegmentParts, target: ExportSpec): { readonly [port: string]: Flow } {
  parts.export(ownTopic(parts), target);
  return {};
}
