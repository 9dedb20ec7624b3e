import { FlowError } from '../core/errors.ts';

/** Something in the plan has failed on a record, or on what came of some, and no policy lets that go. */
export class RecordError extends FlowError {
  /** The node, by its id in the plan; several where it is one of them. */
  readonly nodes: readonly string[];
  /** On what: `the record at orders/0 position 17`. */
  readonly what: string;
  readonly reason: string;

  constructor(
    code: 'record.failed' | 'record.undecodable',
    message: string,
    about: {
      readonly nodes: readonly string[];
      readonly what: string;
      readonly reason: string;
      readonly cause?: unknown;
    },
  ) {
    super(code, message, { cause: about.cause });
    this.nodes = about.nodes;
    this.what = about.what;
    this.reason = about.reason;
  }
}
