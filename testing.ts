/** `@nodeflow/engine/testing`: runs a topology in a test, with a virtual clock and nothing on disk. */
export { VirtualClock } from './core/clock.ts';
export { TopologyDriver } from './runtime/testing.ts';
