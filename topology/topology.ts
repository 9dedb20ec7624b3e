/** Says what should happen, as data. */
export { topology } from './define.ts';
export type { PlanFault, PlanFaultCode } from './faults.ts';
export type * from './handles.ts';
export type { Code, Program } from './program.ts';
export type { Joinable, Scheme, Settled, TypeError_ } from './scheme.ts';
export { splitStages } from './split.ts';
export { keyValueStore, type StoreDefinition, windowStore } from './stores.ts';
export { type DeclaredPartitioner, type Sink, type Topic, topic } from './topic.ts';
export { validatePlan } from './validate.ts';
export { hopping, tumbling } from './windows.ts';
