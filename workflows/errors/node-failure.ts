import type { Json, Millis } from '../../core/ids.ts';
import type { FailureClass } from '../../events/events.ts';

/** What a function throws that knows what its failure is; the engine then guesses nothing. */
export class NodeFailure extends Error {
  override readonly name = 'NodeFailure';
  readonly class: FailureClass;
  /** Stable, in the words of the function, such as `card-declined`. */
  readonly code: string;
  readonly detail: Json;
  /** When it may be tried again, where somebody has said so. */
  readonly retryAfterMs: Millis | undefined;

  constructor(
    failureClass: FailureClass,
    code: string,
    message: string,
    more: { readonly detail?: Json; readonly retryAfterMs?: Millis; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in more ? { cause: more.cause } : undefined);
    this.class = failureClass;
    this.code = code;
    this.detail = more.detail ?? null;
    this.retryAfterMs = more.retryAfterMs;
  }
}
