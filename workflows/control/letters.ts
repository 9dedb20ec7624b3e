import { FlowError } from '../../core/errors.ts';
import { DEAD_LETTERS_TOPIC } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import { eachRecord } from '../../runtime/runtime.ts';
import { readToken } from '../lifecycle/lifecycle.ts';
import { partitionOf } from './history.ts';
import type { DeadLetter } from './messages.ts';

/** The dead letter of an id. Reads all of its partition, since they are few and seldom asked for. */
export async function findLetter(log: Log, partitions: number, id: string): Promise<DeadLetter> {
  let found: DeadLetter | undefined;
  const token = readToken(id);
  if (token?.kind === 'letter') {
    const partition = partitionOf(token.execution, partitions);
    await eachRecord(log, DEAD_LETTERS_TOPIC, partition, ({ bytes, valueStarts, valueEnds }, i) => {
      const letter = JSON.parse(bytes.toString('utf8', valueStarts[i]!, valueEnds[i]!)) as DeadLetter;
      if (letter.id === id) found = letter;
    });
  }
  if (found !== undefined) return found;
  throw new FlowError('workflow.unknown-execution', `there is no dead letter ${id}; check the id`);
}
