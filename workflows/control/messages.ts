import type { Json, Millis } from '../../core/ids.ts';
import { type JsonCopy, jsonCopy } from '../../core/json-copy.ts';
import type { FailureClass, Mode } from '../../events/events.ts';
import type { Command } from '../lifecycle/lifecycle.ts';
import type { SessionSay } from '../sessions/sessions.ts';

/** What the records of `nf.commands` and `nf.internal` say, as JSON. Field names are short: there are many of these. */
export type Message =
  | CommandMessage
  | DefineMessage
  | ScheduleMessage
  | SessionMessage
  | CallMessage
  | LeftMessage
  | ClearedMessage;

export interface CommandMessage {
  /** The execution it is for. */
  readonly x: string;
  /** Of starts: which workflow, in which version. */
  readonly w?: string;
  readonly v?: string;
  readonly c: Command;
  readonly id: string;
  readonly by?: string;
  /** When it was sent, where the time of the record does not say it. */
  readonly at?: Millis;
}

/** Sent to every partition before it stands in the catalogue. */
export interface DefineMessage {
  readonly define: StoredDefinition;
  /** To the partition that keeps the schedules of the workflow: they are of this version from now on. */
  readonly schedule?: true;
}

/** To the schedules of a workflow, about what they have started. */
export interface ScheduleMessage {
  readonly ofSchedule: string;
  /** This one has ended, or had ended before. */
  readonly ended?: string;
  /** The start came to where the workflow was not known yet. */
  readonly again?: CommandMessage;
}

/** To a session, by its address. */
export interface SessionMessage {
  readonly session: string;
  readonly s: SessionSay;
  readonly id: string;
  readonly by?: string;
  readonly at?: Millis;
}

/** About the call of a task: which process makes it. See `callers.ts`. */
export interface CallMessage {
  readonly x: string;
  readonly call: {
    readonly n: number;
    readonly i: string;
    readonly a: number;
    readonly process: string;
    readonly do: CallWord;
  };
  readonly id: string;
}

/** The process is about to call it; will call it when it may; calls it no more, and goes on. */
export type CallWord = 'take' | 'wait' | 'leave';

/** A run of a segment is over, by a step of the execution that is committed: what it has left goes. */
export interface LeftMessage {
  /** Its name. */
  readonly left: string;
  readonly x: string;
  readonly id: string;
}

/** It has gone. */
export interface ClearedMessage {
  readonly cleared: string;
  readonly x: string;
  readonly id: string;
}

/** The call that takes it away. */
export interface ClearMessage {
  readonly clear: string;
  readonly x: string;
  readonly id: string;
}

export interface StoredDefinition {
  readonly id: string;
  readonly version: string;
  readonly hash: string;
  readonly document: Json;
  readonly publishedAt: Millis;
  readonly publishedBy: string | null;
}

/** A call of a task, on its way to be made; its answer comes back as a report. */
export interface TaskMessage {
  readonly x: string;
  /** Name of the node's type, with its version. */
  readonly type: string;
  readonly node: string;
  readonly n: number;
  readonly i: string;
  readonly a: number;
  /** Of the execution. */
  readonly m: Mode;
  readonly inputs: { readonly [port: string]: Json };
  readonly config: Json;
  readonly resume: Json;
  /** Attempts before it, in a row, whose process ended while they ran; not there where there is none. */
  readonly l?: number;
  /** Of a segment: it ends as soon as it has taken what is there. */
  readonly e?: true;
  /** The first of the executions that its own goes on from, where that is another: segments are called by its id. */
  readonly o?: string;
  readonly at: Millis;
}

export interface DeadLetter {
  readonly id: string;
  readonly execution: string;
  readonly workflow: string;
  readonly node: string;
  readonly iteration: string;
  readonly reason: string;
  readonly input: Json;
  readonly at: Millis;
  /** Not of letters of old. */
  readonly class?: FailureClass;
  readonly code?: string;
  readonly message?: string;
  readonly attempt?: number;
}

/**
 * What would come over the log. Message and command are the engine's own and of few shapes, so that they are cloned; what
 * their fields hold is of whoever sent it, and copied as {@link jsonCopy} does. Characters are those of the fields.
 */
export function commandCopy(message: CommandMessage): JsonCopy<CommandMessage> {
  const command = { ...message.c } as { [field: string]: unknown };
  let characters = 0;
  for (const field of Object.keys(command)) {
    const value = command[field];
    if (value === null || typeof value === 'boolean') continue;
    const copy = jsonCopy(value);
    characters += copy.characters;
    if (!Object.is(copy.value, value)) command[field] = copy.value;
  }
  return { value: { ...message, c: command as unknown as Command }, characters };
}

/** Executions of one family have one root, and so one partition: `order-7/pay/` is a child of `order-7`. */
export function rootOf(execution: string): string {
  const slash = execution.indexOf('/');
  return slash < 0 ? execution : execution.slice(0, slash);
}

/** The key of what is for the schedules of a workflow; it is no id of an execution. */
export function scheduleKey(workflow: string): string {
  return `schedule:${workflow}`;
}
