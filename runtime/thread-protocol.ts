import type { Bytes } from '../core/bytes.ts';
import type { GroupIdentity } from '../log/log.ts';
import type { FoundRow } from '../operators/operators.ts';
import type { MetricRow } from '../telemetry/telemetry.ts';
import type { TopicLimits } from './deploy.ts';
import type { WorkerFigures } from './host.ts';
import type { RegistryAddress } from './open-registry.ts';
import type { StoreRequest } from './read-store.ts';
import type { ModuleRef, RunSettings } from './runtime.ts';
import type { TaskSpec } from './stage.ts';

/** What a worker thread is started with, beside the port to its log. */
export interface ThreadData {
  readonly module: ModuleRef;
  /** The plan that the supervisor built; the thread must build the same. */
  readonly planHash: string;
  readonly application: string;
  readonly worker: number;
  readonly slot: string;
  readonly settings: RunSettings;
  readonly directory: string | undefined;
  readonly specs: readonly TaskSpec[];
  readonly limits: TopicLimits;
  readonly registry: RegistryAddress | undefined;
  /** What is to be hidden in the dead letters of the thread. */
  readonly secrets: readonly string[];
}

/** To the thread. */
export type ThreadRequest =
  | { readonly kind: 'renew'; readonly identity: GroupIdentity; readonly tasks: readonly string[] }
  | {
      readonly kind: 'assign';
      readonly call: number;
      readonly identity: GroupIdentity;
      readonly tasks: readonly string[];
      readonly standbys: readonly string[];
    }
  | { readonly kind: 'revoke'; readonly call: number; readonly tasks: readonly string[] }
  | { readonly kind: 'query'; readonly call: number; readonly request: StoreRequest }
  | { readonly kind: 'stop' };

/** From the thread. */
export type ThreadReply =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'done';
      readonly call: number;
      readonly failure?: ThreadFailure;
      readonly found?: readonly FoundRow[];
    }
  /** Metrics come less often than figures. */
  | { readonly kind: 'figures'; readonly figures: WorkerFigures; readonly metrics: readonly MetricRow[] | undefined }
  /** A line of the thread's log, as JSON: the supervisor's log writes it. */
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'finished'; readonly failure?: ThreadFailure };

/** A message brings bytes without their methods: the same ones, with them. */
export function bufferOf({ buffer, byteOffset, length }: Uint8Array): Bytes {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, length);
}

/** An error as it crosses threads. */
export interface ThreadFailure {
  readonly code: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}
