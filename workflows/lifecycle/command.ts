import type { Json, Millis } from '../../core/ids.ts';
import type {
  Continues,
  ExecutionStatus,
  FailureInfo,
  Mode,
  Next,
  NodeOutputs,
  TimerKind,
} from '../../events/events.ts';
import type { SessionHold } from '../sessions/sessions.ts';

/** What an execution may be told. */
export type Command =
  | {
      readonly type: 'start';
      readonly input: Json;
      readonly mode: Mode;
      readonly user: string | null;
      readonly priority: number;
      readonly deadline: Millis | null;
      readonly labels: { readonly [name: string]: string };
      readonly idempotencyKey: string | null;
      readonly parent: { readonly execution: string; readonly node: number; readonly iteration: string } | null;
      /** Run these nodes and what they need (`ancestors`), or what follows from them (`descendants`), or these alone. */
      readonly select: {
        readonly nodes: readonly string[];
        readonly closure: 'ancestors' | 'descendants' | 'none';
      } | null;
      readonly pins: { readonly [node: string]: Json } | null;
      readonly forkOf: { readonly execution: string; readonly seq: number } | null;
      readonly outputs?: NodeOutputs;
      readonly continues?: Continues;
      /** Of a child: the hold of who started it. */
      readonly session?: SessionHold;
      /** For a record of the parent's node: what it has of its parent is said by that one's rows. */
      readonly forRecord?: true;
    }
  /** Its turn has come. */
  | { readonly type: 'session-granted'; readonly session: SessionHold }
  /** A task that has lost its process before is called now: until then it was kept apart from others, and did not run. */
  | { readonly type: 'called'; readonly node: number; readonly iteration: string; readonly attempt: number }
  | {
      readonly type: 'report';
      readonly node: number;
      readonly iteration: string;
      readonly attempt: number;
      readonly outcome:
        | {
            readonly ok: true;
            readonly outputs: { readonly [port: string]: Json };
            /** The last word, as by `progress`. */
            readonly progress?: Json;
          }
        | {
            readonly ok: false;
            readonly error: FailureInfo;
            readonly retryAfterMs?: Millis;
            readonly progress?: Json;
          };
    }
  | {
      readonly type: 'checkpoint';
      readonly node: number;
      readonly iteration: string;
      readonly attempt: number;
      readonly number: number;
      readonly value: Json;
    }
  | {
      readonly type: 'progress';
      readonly node: number;
      readonly iteration: string;
      readonly attempt: number;
      readonly value: Json;
    }
  | {
      readonly type: 'timer';
      readonly timer: TimerKind;
      readonly node: number;
      readonly iteration: string;
      readonly attempt: number;
      readonly due: Millis;
    }
  /** A slot is free for a queued task. */
  | { readonly type: 'grant'; readonly node: number; readonly iteration: string; readonly attempt: number }
  | { readonly type: 'signal'; readonly name: string; readonly id: string; readonly payload: Json }
  | {
      readonly type: 'approve';
      readonly token: string;
      readonly decision: 'approved' | 'rejected';
      readonly value: Json;
    }
  | {
      readonly type: 'child-ended';
      /** The id of the child: of each attempt another. */
      readonly child: string;
      readonly node: number;
      readonly iteration: string;
      readonly status: ExecutionStatus;
      readonly output: Json;
      readonly error: FailureInfo | null;
      /** What it has written of the session that it shared. */
      readonly session?: { readonly [key: string]: Json };
      /** It has ended at a savepoint: by what another one goes on from there. */
      readonly kept?: Continues;
    }
  /** Without a node: all of it, within the grace (default {@link GRACE_MS}). With one: that node, at once. */
  | { readonly type: 'cancel'; readonly reason: string; readonly node: string | null; readonly graceMs?: Millis }
  /**
   * Of a streaming execution: its segments take what is there as the whole. `inherited`: from the execution that started
   * it, which ends so; taken whatever its mode, and while it is paused too.
   */
  | { readonly type: 'end'; readonly inherited?: true }
  /**
   * Of a streaming execution: it ends within the grace, as by a cancel, and its segments keep what they have. With `next`
   * another one starts in the same step in which this one has ended. `segments`: why the next version cannot take up a
   * segment, by the id of the node that stands for it, null where it can; one that has begun and is not there is none
   * that was judged. So it is with nodes that wait for executions which they have started. `children`: why such an
   * execution cannot be taken along, by its id, as whoever has their rows has judged in the same moment. `inherited`: from
   * the execution that started it, which has judged.
   */
  | {
      readonly type: 'savepoint';
      readonly next: (Next & { readonly segments: { readonly [id: string]: string | null } }) | null;
      readonly graceMs?: Millis;
      readonly children?: { readonly [execution: string]: string | null };
      readonly inherited?: true;
    }
  /** What the segments of an execution have kept that has ended at a savepoint is of no use to anybody. */
  | { readonly type: 'forget' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Begin again at a node: it and all that follows from it, as if they had not run. Before the end; after it, fork. */
  | { readonly type: 'retry-from'; readonly node: string }
  /** The value of a retry arrives at `in`; null only where it was `given`, else what arrived before arrives again. */
  | {
      readonly type: 'intervene';
      readonly node: string;
      readonly iteration: string;
      readonly action: 'retry' | 'output' | 'skip' | 'fail';
      readonly value: Json;
      readonly given?: true;
    }
  /** Does again what became a dead letter; with `input` as what arrives at `in`, null too. Twice is as once. */
  | { readonly type: 'redrive'; readonly deadLetter: string; readonly input?: Json }
  | { readonly type: 'patch'; readonly baseRevision: number; readonly ops: readonly PatchOp[] }
  | { readonly type: 'continue' };

/** Nodes and edges are appended, replaced where they have not begun, or removed where they have not begun. */
export type PatchOp =
  | { readonly op: 'add-node'; readonly node: Json }
  | { readonly op: 'replace-node'; readonly node: Json }
  | { readonly op: 'remove-node'; readonly id: string }
  | { readonly op: 'add-edge'; readonly edge: Json }
  | { readonly op: 'remove-edge'; readonly id: string };

export const PATCH_OPS = ['add-node', 'replace-node', 'remove-node', 'add-edge', 'remove-edge'] as const;

/** To each execution that a node has started for a record, and that is open; they are called by the id of `first`. */
export interface TellStarted {
  readonly effect: 'tell-started';
  readonly node: number;
  readonly iteration: string;
  readonly first: string;
  readonly command: Extract<Command, { readonly type: 'cancel' | 'pause' | 'resume' }>;
}
