import type { At } from '../../events/events.ts';
import type { TellStarted } from './command.ts';
import { firstOf } from './goes-on.ts';
import type { Step } from './step.ts';

/**
 * Executions that a node of a segment has started, one for each record. No row of its own execution says which: their names
 * do, and whoever keeps the rows finds those that are open (`tell-started`). They are paused and resumed with it, and
 * cancelled when the node ends, or is to; between two attempts, and at a savepoint, they go on. One begins only while the
 * node runs and nothing is paused (`startForRecord`). What becomes of it is told to whoever has started it.
 */

type Told = TellStarted['command'];

/** Those that are open are told; nothing of the rows says how many they are. */
export function tellStarted(step: Step, at: At, command: Told): void {
  const { behaviour } = step.node(at).type;
  if (behaviour.kind !== 'inner' || behaviour.starts !== true) return;
  step.effects.push({ effect: 'tell-started', ...at, first: firstOf(step.header), command });
}

/** The node wants no more of them. */
export function cancelStarted(step: Step, at: At): void {
  tellStarted(step, at, { type: 'cancel', reason: 'its parent is cancelled', node: null });
}
