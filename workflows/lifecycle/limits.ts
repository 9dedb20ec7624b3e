import type { Millis } from '../../core/ids.ts';

/** Nodes that one step begins or ends at most. */
export const MAX_STEP_NODES = 256;
/** What nodes put out in one step, before it goes on in another: a record has to fit into the log. */
export const MAX_STEP_BYTES = 1024 * 1024;
/** Executions within each other. */
export const MAX_CHILD_DEPTH = 32;
export const MAX_VALUE_BYTES = 256 * 1024;
export const MAX_SYSTEM_FAILURES = 20;
/** Processes that a task may lose in a row before it is held, where nothing else is said. */
export const HELD_AFTER = 5;
/** Items of a map that are in flight at once at most. */
export const MAX_IN_FLIGHT = 256;
/** How long tasks have to stop after a cancel, where nothing else is said. */
export const GRACE_MS: Millis = 10_000;
/** Ids of commands that an execution remembers. */
export const MAX_REMEMBERED = 64;
/** How deep a value may be. */
export const MAX_VALUE_DEPTH = 128;
