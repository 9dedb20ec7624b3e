/**
 * Says what should happen, as data.
 *
 * A topology is written with typed handles and ends in `build()`, which answers a {@link Program}: the plan, frozen
 * JSON that runs anywhere, and the code that it refers to.
 *
 *     const orders = topic('orders', { key: string(), value: order, partitions: 12 });
 *     const perMinute = topic('paid-per-minute', { key: windowed(string(), 60_000), value: int64(), partitions: 12 });
 *
 *     const shop = topology('shop');
 *     shop
 *       .stream(orders)
 *       .filter((each) => each.status === 'paid')
 *       .groupByKey()
 *       .window(tumbling({ minutes: 1 }, { grace: { seconds: 10 } }))
 *       .count({ store: 'per-minute' })
 *       .suppress()
 *       .toStream()
 *       .to(perMinute);
 *
 * What is promised:
 *
 * - *Types are the early echo, the validator is the gate.* A stream knows its partition count, or that its key is
 *   stale; joins, groupings, tables and sinks are checked by the compiler in readable sentences (`scheme.ts`), and
 *   once more on the plan by {@link validatePlan}, with what types cannot see: names, partitioners, windows, circles.
 *   All faults come in one answer. At deploy {@link checkTopics} compares the plan with the topics that are there.
 * - *Names are identity.* Where state or a topic hangs on a call, it takes a name, and that name alone stands in the
 *   names of stores and topics. Other nodes get ids of kind, nearest named ancestor and ordinal, which stay as they
 *   are when unrelated parts change.
 * - *Equal topologies are equal plans*: same JSON, same `planHash`, on every machine and in every worker.
 * - *A topic is read once.* Asking for the same stream twice answers one source. A topic that the plan both writes
 *   and reads lies between two stages.
 * - *Where a record lies.* By Kafka's partitioner over its key; a record whose key and partition count are those of
 *   its source keeps its partition on the way to a sink (`partitioner: 'inherited'`). So a topic inherits also an
 *   unknown partitioner, and the validator then refuses joins on it.
 * - *Front ends add nodes, nothing else.* The handles judge nothing; other front ends write plans of their own and
 *   meet the same validator.
 */
export type * from './call-handles.ts';
export { checkTopics, type TopicFacts, type TopicFindings } from './check-topics.ts';
export { topology } from './define.ts';
export { type DescribeFormat, describe } from './describe.ts';
export type { DiffFault } from './diff-faults.ts';
export { diffPlans, type InputChange, type PlanDiff, type Renames, type TopicChange } from './diff-plans.ts';
export type { StoreChange } from './diff-stores.ts';
export { type DiffCosts, diffLines, faultLines } from './diff-words.ts';
export { type Expr, expr } from './expr.ts';
export type { PlanFault, PlanFaultCode } from './faults.ts';
export type * from './foreign-handles.ts';
export type * from './global-handles.ts';
export type * from './group-handles.ts';
export type * from './handles.ts';
export { calendar, counts, cumulative, custom } from './more-windows.ts';
export { planHash } from './plan-hash.ts';
export type { Code, Program } from './program.ts';
export { asPlan, readPlan } from './read-plan.ts';
export type * from './ready/ready-options.ts';
export type { Cogroupable, Joinable, JoinableStream, Scheme, Settled, TypeError_ } from './scheme.ts';
export { splitStages } from './split.ts';
export {
  type AnyStore,
  keyValueStore,
  type StoreDefinition,
  sessionStore,
  versionedStore,
  windowStore,
} from './stores.ts';
export type * from './stream-state.ts';
export type * from './suppress-options.ts';
export type * from './table-handles.ts';
export { type DeclaredPartitioner, type Sink, type Topic, topic } from './topic.ts';
export { validatePlan } from './validate.ts';
export type {
  Assign,
  CloseAt,
  GapOf,
  MergeWindows,
  Merging,
  PlainWindows,
  WindowSpan,
  Windows,
} from './window-handles.ts';
export { hopping, session, sliding, tumbling, unlimited } from './windows.ts';
