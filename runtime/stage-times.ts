import type { PlanNode, PlanTopic, Stage } from '../topology/plan.ts';
import type { PlanIndex, TaskSpec } from './stage.ts';

/** Kinds that neither judge a record by a clock nor hold one back. Any other kind is taken to do so. */
const TIMELESS: ReadonlySet<string> = new Set([
  'source',
  'read',
  'table',
  'map',
  'mapValues',
  'filter',
  'flatMap',
  'flatMapValues',
  'selectKey',
  'peek',
  'forEach',
  'branch',
  'arm',
  'merge',
  'repartition',
  'toTable',
  'toStream',
  'filterTable',
  'mapTable',
  'groupTable',
  'aggregateTable',
  'joinTables',
  'joinGlobal',
  'joinForeign',
  'subscribeForeign',
  'answerForeign',
  'late',
  'to',
]);

/**
 * How time goes through the stages of a plan.
 *
 * A stage has a *clock of its own*, the least of what its inputs tell, where "the largest time seen" would make records
 * late by accident of scheduling: where several tasks write what one of its tasks reads from a repartition topic, where
 * that is so of a stage before it, and where a source of it declares a watermark. Elsewhere each operator goes by the
 * records that reach it, as in Kafka Streams.
 *
 * A stage *is timed* where it has such a clock and something that goes by it, or writes to a stage that is timed: then
 * its tasks tell of their time, and it goes by a clock itself where it is told the time. Else a task of it that gets few
 * records would keep its windows open for as long, and those behind it would wait, or not wait and find them late. Time
 * goes through repartition topics alone, since nothing of
 * ours appears in a user's topic: a user's topic between two stages is a source like any other, whose time is the
 * largest in its partition, less the disorder that its `watermark` declares.
 *
 * Time does not go around: what a stage reads that came of its own writing, through whatever stages, tells it nothing.
 */
export class StageTimes {
  readonly #index: PlanIndex;
  readonly #tasks: ReadonlyMap<string, readonly string[]>;
  readonly #clocked = new Map<string, boolean>();
  readonly #timed = new Map<string, boolean>();

  constructor(index: PlanIndex, specs: Iterable<Pick<TaskSpec, 'id' | 'stage'>>) {
    this.#index = index;
    const tasks = new Map<string, string[]>();
    for (const { id, stage } of specs) {
      const list = tasks.get(stage) ?? [];
      list.push(id);
      tasks.set(stage, list);
    }
    this.#tasks = tasks;
  }

  /** All operators of the stage go by one clock. */
  hasClock(stage: Stage): boolean {
    if (!this.isTimed(stage)) return false;
    return this.#isClocked(stage) || stage.reads.some((topic) => this.#writers(stage, topic).length > 0);
  }

  isTimed(stage: Stage): boolean {
    return remember(this.#timed, stage.id, () => {
      if (this.#isClocked(stage) && this.#goesByTime(stage)) return true;
      return this.writes(stage).length > 0;
    });
  }

  /** The tasks that tell their time in a topic that the stage reads. */
  upstream(stage: Stage, topic: string): readonly string[] {
    if (!this.isTimed(stage)) return [];
    return this.#writers(stage, topic).flatMap((writer) => this.#tasks.get(writer.id) ?? []);
  }

  /** The topics in which the tasks of the stage tell their time. */
  writes(stage: Stage): readonly PlanTopic[] {
    const told = (topic: string) =>
      this.#index.plan.stages.some(
        (reader) =>
          reader.reads.includes(topic) && this.#writers(reader, topic).includes(stage) && this.isTimed(reader),
      );
    return stage.writes.filter(told).map((topic) => this.#index.topics.get(topic)!);
  }

  #goesByTime(stage: Stage): boolean {
    const { stores } = this.#index;
    if (stage.stores.some((store) => stores.get(store)?.kind === 'versioned')) return true;
    return this.#index.stageNodes(stage).some(goesByTime);
  }

  #isClocked(stage: Stage): boolean {
    return remember(this.#clocked, stage.id, () => {
      if (this.#index.stageNodes(stage).some((node) => node.kind === 'source' && node.timing?.watermark != null))
        return true;
      return stage.reads.some((topic) => {
        const writers = this.#writers(stage, topic);
        const tasks = writers.reduce((sum, writer) => sum + (this.#tasks.get(writer.id)?.length ?? 0), 0);
        return tasks > 1 || writers.some((writer) => this.#isClocked(writer));
      });
    });
  }

  /** Stages that write a repartition topic, but for those that the reader itself feeds. */
  #writers(reader: Stage, topic: string): readonly Stage[] {
    if (this.#index.topics.get(topic)?.internal !== true) return [];
    return this.#index.writers(topic).filter((writer) => !this.#index.reaches(reader, writer));
  }
}

/** Tables with a history are told by their stores; see {@link StageTimes.isTimed}. */
function goesByTime(node: PlanNode): boolean {
  if (node.kind === 'aggregate') return node.window !== null;
  if (node.kind === 'joinTable') return node.grace !== null;
  return !TIMELESS.has(node.kind);
}

function remember(known: Map<string, boolean>, key: string, find: () => boolean): boolean {
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = find();
  known.set(key, found);
  return found;
}
