import type { Clock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { COMMANDS_TOPIC } from '../../events/events.ts';
import { partitionForKey } from '../../log/log.ts';
import { type RecordChange, type RecordLetter, type RedriveTarget, redriveHeaders } from '../../runtime/runtime.ts';
import { type CommandMessage, type Message, rootOf, scheduleKey } from '../control/messages.ts';
import { jsonOf, unfit } from './shown.ts';

interface CommandParts {
  readonly clock: Clock;
  readonly partitions: number;
}

type Fields = { readonly [name: string]: Json };

/** Where the command of a letter goes, and what is sent. Fails with `dead-letter.unfit` where it is none still. */
export function commandTarget(
  letter: RecordLetter,
  change: RecordChange,
  { clock, partitions }: CommandParts,
): RedriveTarget {
  const message = commandOf(letter, change);
  const key = Buffer.from(keyOf(message));
  const record = {
    ...{ key, value: Buffer.from(JSON.stringify(message)), timestamp: clock.now() },
    headers: redriveHeaders(change.headers ?? letter.record.headers, letter.id, letter.redrives),
  };
  return { topic: COMMANDS_TOPIC, partition: partitionForKey(key, 0, key.length, partitions), record };
}

/** The message that is sent for a letter; without an id it is given one, so that it is taken once. */
export function commandOf(letter: RecordLetter, change: RecordChange, id = `redrive ${letter.id}`): Message {
  const { from } = letter;
  if (from === null) {
    throw new FlowError(
      'dead-letter.not-redrivable',
      `${letter.id} cannot be redriven: it is no command, but a call of ${letter.node} that failed; retry the node of its execution`,
    );
  }
  const value = change.value === undefined ? letter.record.value : change.value;
  const text = value?.toString() ?? 'null';
  const message = jsonOf(text);
  const why = message === undefined ? 'it is no JSON' : fault(message);
  if (why === undefined) return { id, ...(message as object) } as Message;
  const whose = change.value === undefined ? 'what was read is no command still' : 'what is given is no command';
  throw unfit(
    letter.id,
    `${whose}, for ${why}; give a value such as {"x":"order-7","c":{"type":"cancel","reason":"late","node":null}}: x is ` +
      'the execution, c what it is told',
  );
}

function fault(message: Json): string | undefined {
  if (!isObject(message)) return 'it is no object';
  const { x, c, w, v, id, by, at } = message;
  if ('define' in message) return 'definitions are published, not sent';
  if ('ofSchedule' in message) return isText(message['ofSchedule']) ? undefined : 'ofSchedule is no text';
  if ('session' in message) {
    if (!isText(message['session'])) return 'session is no text';
    return isObject(message['s']) && isText(message['s']['do']) ? undefined : 's is no object with a text `do`';
  }
  if (!isText(x)) return 'x is no text';
  if (c === undefined || !isObject(c) || !isText(c['type'])) return 'c is no object with a text `type`';
  for (const [name, each] of Object.entries({ w, v, id, by })) {
    if (each !== undefined && !isText(each)) return `${name} is no text`;
  }
  return at === undefined || Number.isSafeInteger(at) ? undefined : 'at is no number of milliseconds';
}

export function isCommand(message: Message): message is CommandMessage {
  return 'x' in message;
}

function keyOf(message: Message): string {
  if ('ofSchedule' in message) return scheduleKey(message.ofSchedule);
  if ('session' in message) return message.session;
  return rootOf((message as CommandMessage).x);
}

function isObject(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '';
}
