import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import type { Mode } from '../../events/events.ts';
import { createLaneLog } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import type { WorkflowDocument } from '../document.ts';
import { graphOf } from './jobs.fixture.ts';
import { runOfTopic, runSegment, type SegmentHost, type SegmentResult, type SegmentTask } from './run-segment.ts';
import { segmentsOf } from './segments-of.ts';

/** With few lanes, so that runs meet in them. */
export function memoryHost(more: Partial<SegmentHost> = {}) {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const lanes = createLaneLog(log, { clock: systemClock, runOf: runOfTopic, lanes: { topics: 4, partitions: 4 } });
  return {
    ...{ log, lanes },
    state: createStateBackend({}),
    directory: undefined,
    clock: systemClock,
    telemetry: silentTelemetry(),
    settings: { commitIntervalMs: 5, idleMs: 20 },
    ...more,
  } satisfies SegmentHost;
}

/** Topics of runs that are there, wherever they lie. */
export async function topicsOfRuns({ log, lanes = log }: SegmentHost): Promise<readonly string[]> {
  return (await lanes.admin.list()).filter((topic) => runOfTopic(topic) !== undefined);
}

export interface RunWords extends Partial<Omit<SegmentTask, 'segment' | 'graph'>> {
  readonly mode?: Mode;
}

export function taskOf(document: Json | WorkflowDocument, words: RunWords = {}): SegmentTask {
  const graph = graphOf(document);
  return {
    segment: segmentsOf(graph)[0]!,
    graph,
    name: 'wf.run.first',
    mode: 'batch',
    input: null,
    values: {},
    cancel: new AbortController().signal,
    ...words,
  };
}

export async function runDocument(
  host: SegmentHost,
  document: Json | WorkflowDocument,
  words: RunWords = {},
): Promise<SegmentResult> {
  return runSegment(host, taskOf(document, words));
}
