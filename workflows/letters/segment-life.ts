import { FlowError } from '../../core/errors.ts';
import { LAST } from '../../events/events.ts';
import type { RecordLetter } from '../../runtime/runtime.ts';
import type { ExecutionView } from '../workflows.ts';

export type Look = (execution: string) => Promise<ExecutionView | undefined>;

/**
 * Fails with `dead-letter.not-redrivable` where the segment that gave a record up reads nothing any more. What is found is
 * as of now: one that ends while the record is on its way leaves it unread in its topic.
 */
export async function checkSegmentReads(letter: RecordLetter, look: Look): Promise<void> {
  const { execution, segment, iteration = '' } = letter.told;
  if (execution === undefined || segment === undefined) {
    throw refused(letter, 'it does not say of which execution it is, as letters of old do not');
  }
  const view = await newest(execution, look);
  if (view === undefined) throw refused(letter, `execution ${execution} is not known any more`);
  const { id, mode, phase, ending, continuedBy } = view;
  if (mode !== 'streaming') {
    throw refused(letter, `execution ${id} is ${mode}: it reads what was there when it began, and nothing beyond`);
  }
  if (phase === 'ended' && continuedBy !== null) {
    throw refused(letter, `execution ${id} has stopped at a savepoint: let it go on by an upgrade, then redrive it`);
  }
  if (phase === 'ended' || ending)
    throw refused(letter, `execution ${id} ${phase === 'ended' ? 'has ended' : 'was told to end'}`);
  const node = view.nodes.find((each) => each.id === segment && each.iteration === iteration);
  if (node === undefined || LAST.some((status) => status === node.status)) {
    throw refused(letter, `its segment, that of ${segment}, is over in execution ${id}`);
  }
}

/** Executions that one may go on as. */
const MOST_VERSIONS = 1000;

/** What goes on from an execution in another version, or it itself. */
async function newest(execution: string, look: Look): Promise<ExecutionView | undefined> {
  let view = await look(execution);
  for (let i = 0; i < MOST_VERSIONS && view?.phase === 'ended' && view.continuedBy !== null; i++) {
    const next = await look(view.continuedBy);
    if (next === undefined) break;
    view = next;
  }
  return view;
}

function refused({ id, told }: RecordLetter, why: string): FlowError {
  const which = told['execution'] === undefined ? '' : ` --execution ${told['execution']}`;
  const cure =
    'start the workflow anew, with what it reads corrected, or put its letters into a topic that it reads then: ' +
    `nodeflow dead-letters list${which} --records | nodeflow produce TOPIC --key-serde bytes --value-serde bytes`;
  return new FlowError('dead-letter.not-redrivable', `${id} cannot be redriven: ${why}; ${cure}`);
}
