import { type ErrorCode, FlowError, messageOf } from '../../core/errors.ts';
import type {
  Assign,
  Assignment,
  Fetched,
  GroupIdentity,
  GroupMember,
  Log,
  LogAddress,
  LogAdmin,
  LogCapabilities,
  MemberOptions,
} from '../log.ts';

/**
 * What crosses a port. A call carries a number and is answered once; readers, producers and members are known by
 * numbers that the client gives. Messages keep their order in both directions.
 */
export interface CallMessage {
  readonly kind: 'call';
  readonly id: number;
  readonly call: Call;
}
/** Nothing is answered; it takes effect before every later call. */
export interface TellMessage {
  readonly kind: 'tell';
  readonly tell: Tell;
}
export interface CancelMessage {
  readonly kind: 'cancel';
  readonly id: number;
}
/** The answer to a question of the server. */
export interface ReplyMessage {
  readonly kind: 'reply';
  readonly id: number;
  readonly value: unknown;
  readonly failure: Failure | undefined;
}
export type ClientMessage = CallMessage | TellMessage | CancelMessage | ReplyMessage;

export type Call =
  | { readonly on: 'log'; readonly name: 'hello' }
  | { readonly on: 'log'; readonly name: 'close' }
  | { readonly on: 'log'; readonly name: 'committed'; readonly args: Parameters<Log['committed']> }
  | { readonly on: 'admin'; readonly name: keyof LogAdmin; readonly args: readonly unknown[] }
  | { readonly on: 'reader'; readonly handle: number; readonly name: 'fetch'; readonly maxWaitMs: number }
  | { readonly on: 'reader'; readonly handle: number; readonly name: 'close' }
  | { readonly on: 'member'; readonly handle: number; readonly name: 'leave'; readonly forGood: boolean | undefined }
  | { readonly on: 'producer'; readonly handle: number; readonly name: 'open'; readonly args: readonly unknown[] }
  | {
      readonly on: 'producer';
      readonly handle: number;
      readonly name: ProducerCall;
      readonly args: readonly unknown[];
    }
  | { readonly on: 'member'; readonly handle: number; readonly name: 'join'; readonly options: JoinOptions };

export type ProducerCall = 'append' | 'sendPositions' | 'commit' | 'abort' | 'close';

/** What of the options can cross; the callbacks are asked by events. */
export type JoinOptions = Omit<MemberOptions, 'assign' | 'onAssign' | 'onRevoke' | 'onRenew' | 'onLost'>;

export type ReaderTell = 'assign' | 'unassign' | 'pause' | 'resume';

export type Tell =
  | { readonly on: 'reader'; readonly handle: number; readonly name: 'open'; readonly args: Parameters<Log['reader']> }
  | { readonly on: 'reader'; readonly handle: number; readonly name: ReaderTell; readonly args: readonly unknown[] }
  | { readonly on: 'producer'; readonly handle: number; readonly name: 'begin' }
  | { readonly on: 'member'; readonly handle: number; readonly name: 'describe'; readonly metadata: string }
  | {
      readonly on: 'member';
      readonly handle: number;
      readonly name: 'rejoin';
      readonly args: Parameters<GroupMember['rejoin']>;
    };

export interface AnswerMessage {
  readonly kind: 'answer';
  readonly id: number;
  readonly value: unknown;
  readonly failure: Failure | undefined;
}
/** A callback of a member; `ask` ones are answered by a reply. */
export interface EventMessage {
  readonly kind: 'event';
  readonly handle: number;
  readonly event:
    | { readonly name: 'onAssign'; readonly assignment: Assignment }
    | { readonly name: 'onRenew'; readonly identity: GroupIdentity }
    | { readonly name: 'onLost'; readonly reason: string; readonly replaced: boolean }
    | { readonly name: 'onRevoke'; readonly ask: number; readonly tasks: readonly string[] }
    | { readonly name: 'assign'; readonly ask: number; readonly members: Parameters<Assign>[0] };
}
export type ServerMessage = AnswerMessage | EventMessage;

/** A {@link Fetched} without what cannot cross. */
export type FetchedData = Omit<Fetched, 'release' | 'bytes'> & { readonly bytes: Uint8Array };

export interface Hello {
  readonly capabilities: LogCapabilities;
  readonly address: LogAddress | undefined;
}
export interface Joined {
  readonly identity: GroupIdentity;
}

/** Errors keep their code and message. */
export interface Failure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
}

export function flatten(thrown: unknown): Failure {
  return { code: thrown instanceof FlowError ? thrown.code : undefined, message: messageOf(thrown) };
}

export function revive({ code, message }: Failure): Error {
  return code === undefined ? new Error(message) : new FlowError(code, message);
}

/** The bytes over the same memory, as a Buffer again. */
export function asBuffer(bytes: Uint8Array): Buffer<ArrayBuffer> {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}
