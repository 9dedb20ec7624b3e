import { successor } from './goes-on.ts';
import type { Step } from './step.ts';

/** The execution is past what a command asks for. */
export function notRunning(step: Step): void {
  const { phase, savepoint } = step.header;
  const goesOn = savepoint?.next == null ? '' : `, and goes on as ${successor(step.header)}`;
  const what =
    savepoint !== null ? `ends at a savepoint${goesOn}` : phase === 'cancelling' ? 'is being cancelled' : 'fails';
  step.reject('workflow.not-running', `the execution ${what}`);
}
