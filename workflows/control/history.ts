import { decodeStep, EVENTS_TOPIC, type StepRecord, stepHead } from '../../events/events.ts';
import { type Log, partitionForKey } from '../../log/log.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { rootOf } from './messages.ts';

/** The partition of an execution, in all topics of the control plane. */
export function partitionOf(execution: string, partitions: number): number {
  const key = Buffer.from(rootOf(execution));
  return partitionForKey(key, 0, key.length, partitions);
}

/** The committed step records of an execution, in order; those that answer a command without effect are none. */
export async function historyOf(log: Log, execution: string, partitions: number): Promise<readonly StepRecord[]> {
  const found: StepRecord[] = [];
  const visit = ({ bytes, valueStarts, valueEnds }: Visited, i: number) => {
    const start = valueStarts[i]!;
    if (start < 0) return;
    const head = stepHead(bytes, start, valueEnds[i]!);
    if (head.execution === execution && head.seq > 0) found.push(decodeStep(bytes, start, valueEnds[i]!));
  };
  await eachRecord(log, EVENTS_TOPIC, partitionOf(execution, partitions), visit);
  return found;
}

type Visited = Parameters<Parameters<typeof eachRecord>[3]>[0];
