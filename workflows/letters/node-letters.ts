import type { Json } from '../../core/ids.ts';
import { DEAD_LETTERS_TOPIC } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import { Backwards, type Below, eachRecord, type RedriveMark } from '../../runtime/runtime.ts';
import { redactText } from '../../telemetry/telemetry.ts';
import { partitionOf } from '../control/history.ts';
import type { DeadLetter } from '../control/messages.ts';
import { readToken } from '../lifecycle/lifecycle.ts';
import type { LetterView } from './letters.ts';
import { jsonOf } from './shown.ts';

/** A letter of a node, and what the node was called with. */
export type NodeLetter = LetterView & { readonly input: Json };

/** Those of all executions, each partition from below a position. */
export function nodeLetters(
  log: Log,
  partitions: number,
  below: Below,
  markOf: (id: string) => RedriveMark | null,
): Promise<readonly Backwards<NodeLetter>[]> {
  const topic = DEAD_LETTERS_TOPIC;
  return Promise.all(
    Array.from({ length: partitions }, (_, partition) =>
      Backwards.open(log, { topic, partition, below: below(topic, partition) }, (view, i) => {
        const letter = jsonOf(view.bytes.toString('utf8', view.valueStarts[i]!, view.valueEnds[i]!));
        return letter === undefined ? undefined : viewOf(letter as unknown as DeadLetter, markOf);
      }),
    ),
  );
}

/** Reads all of its partition, since they are few and seldom asked for. */
export async function findNodeLetter(
  log: Log,
  partitions: number,
  id: string,
  markOf: (id: string) => RedriveMark | null,
): Promise<NodeLetter | undefined> {
  const token = readToken(id);
  if (token?.kind !== 'letter') return undefined;
  let found: DeadLetter | undefined;
  const partition = partitionOf(token.execution, partitions);
  await eachRecord(log, DEAD_LETTERS_TOPIC, partition, ({ bytes, valueStarts, valueEnds }, i) => {
    const letter = jsonOf(bytes.toString('utf8', valueStarts[i]!, valueEnds[i]!)) as unknown as DeadLetter | undefined;
    if (letter?.id === id) found = letter;
  });
  return found === undefined ? undefined : viewOf(found, markOf);
}

/** Letters of old have the code in front of what is told. */
function viewOf(letter: DeadLetter, markOf: (id: string) => RedriveMark | null): NodeLetter {
  const { id, execution, workflow, node, iteration, reason, input, at } = letter;
  const [, code = null, rest = reason] = /^([\w.-]+): (.*)$/s.exec(reason) ?? [];
  return {
    ...{ id, kind: 'node', at, application: null, task: null, workflow, execution, node, iteration, from: null },
    ...{ reason: 'exhausted', class: letter.class ?? null, code: letter.code ?? code },
    ...{ message: redactText(letter.message ?? rest), redrives: 0, redriven: markOf(id), input },
  };
}
