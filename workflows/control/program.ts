import type { Bytes } from '../../core/bytes.ts';
import { COMMANDS_TOPIC, DEAD_LETTERS_TOPIC, EVENTS_TOPIC, INTERNAL_TOPIC } from '../../events/events.ts';
import type { Processor, ProcessorSupplier } from '../../operators/operators.ts';
import { REDRIVES_TOPIC, type StoredMark } from '../../runtime/runtime.ts';
import { bytes, json, string } from '../../schemas/schemas.ts';
import { keyValueStore, type Program, topic, topology, windowStore } from '../../topology/topology.ts';
import type { ClearMessage, DeadLetter, Message, TaskMessage } from './messages.ts';

/** What the coordinator puts out. */
export type Out =
  | { readonly to: 'events'; readonly record: Bytes }
  | { readonly to: 'internal'; readonly message: Message }
  | { readonly to: 'task'; readonly task: TaskMessage | ClearMessage }
  | { readonly to: 'dead'; readonly letter: DeadLetter }
  /** A letter, which is the key, was redriven. */
  | { readonly to: 'redriven'; readonly mark: StoredMark };

export interface ControlParts {
  readonly partitions: number;
  /** How long it is known that an execution has ended. */
  readonly rememberMs: number;
  /** Calls on their way in a partition; slots bound them, this bounds memory. */
  readonly maxCalls: number;
  coordinator(): Processor<string, Message, string, Out>;
  /**
   * Makes the call of a task, or takes away what a run of a segment has left. `lost` aborts where the partition goes to
   * another process.
   */
  call(task: TaskMessage | ClearMessage, lost: AbortSignal): Promise<Message>;
}

export const CONTROL_APPLICATION = 'nf.workflows';
export const CONTROL_STORE = 'control';
export const TIMERS_STORE = 'due-times';
export const DEFINITIONS_STORE = 'definitions';
export const DONE_STORE = 'done';

/** Calls have timers of their own, which the lifecycle sets; this one only bounds what is forgotten. */
const LONGEST_CALL_DAYS = 20;

export function controlTopics(partitions: number) {
  const key = string();
  return {
    commands: topic(COMMANDS_TOPIC, { key, value: json<Message>(), partitions }),
    internal: topic(INTERNAL_TOPIC, { key, value: json<Message>(), partitions }),
    events: topic(EVENTS_TOPIC, { key, value: bytes(), partitions }),
    deadLetters: topic(DEAD_LETTERS_TOPIC, { key, value: json<DeadLetter>(), partitions }),
    redrives: topic(REDRIVES_TOPIC, { key, value: json<StoredMark>(), partitions: 1 }),
  };
}

/**
 * The control plane as a topology: commands, and what executions send each other, go to the coordinator, keyed by the
 * root execution; what it puts out are step records, messages, dead letters, marks of those that were redriven, and calls
 * of tasks, whose answers are messages too. Messages lead back to the coordinator, in the transaction that made them.
 */
export function controlProgram(parts: ControlParts): Program {
  const { commands, internal, events, deadLetters, redrives } = controlTopics(parts.partitions);
  const control = keyValueStore(CONTROL_STORE, { key: string(), value: json() });
  const timers = keyValueStore(TIMERS_STORE, { key: string(), value: json() });
  const definitions = keyValueStore(DEFINITIONS_STORE, { key: string(), value: json() });
  const done = windowStore(DONE_STORE, {
    key: string(),
    value: string(),
    retention: parts.rememberMs + doneWindowMs(parts.rememberMs),
  });
  const app = topology(CONTROL_APPLICATION);
  const supplier: ProcessorSupplier<string, Message, string, Out> = () => parts.coordinator();
  const out = app
    .stream(commands, { onUndecodable: 'dead-letter' })
    .merge(app.stream(internal, { onUndecodable: 'dead-letter' }))
    .process<Out, string>({ name: 'coordinator', stores: [control, timers, definitions, done], supplier })
    .branch({
      events: (each): each is Extract<Out, { to: 'events' }> => each.to === 'events',
      tasks: (each): each is Extract<Out, { to: 'task' }> => each.to === 'task',
      internal: (each): each is Extract<Out, { to: 'internal' }> => each.to === 'internal',
      dead: (each): each is Extract<Out, { to: 'dead' }> => each.to === 'dead',
      redriven: (each): each is Extract<Out, { to: 'redriven' }> => each.to === 'redriven',
    });
  out.events.mapValues((each) => each.record).to(events);
  out.internal.mapValues((each) => each.message).to(internal);
  out.dead.mapValues((each) => each.letter).to(deadLetters);
  out.redriven.mapValues((each) => each.mark).to(redrives);
  out.tasks
    .mapValues((each) => each.task)
    .mapAsync<Message>({
      name: 'calls',
      concurrency: parts.maxCalls,
      order: 'none',
      timeout: { days: LONGEST_CALL_DAYS },
      key: string(),
      input: json<TaskMessage | ClearMessage>(),
      fn: (task, _, { signal }) => parts.call(task, signal),
    })
    .to(internal);
  return app.build();
}

/** Ends are remembered by windows, so that they are forgotten many at a time. */
export function doneWindowMs(rememberMs: number): number {
  return Math.max(1, Math.floor(rememberMs / 2));
}
