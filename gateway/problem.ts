import { ERRORS, type ErrorCode, FlowError } from '../core/errors.ts';
import { redact, redactText } from '../telemetry/telemetry.ts';

/** Problem details, RFC 9457. */
export interface Problem {
  /** `urn:nodeflow:error:<code>`; docs/errors.md tells of each. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  /** What to do about it, in general. */
  readonly cure: string;
  /** All faults of a document, or of a request. */
  readonly faults?: readonly unknown[];
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Codes whose status does not follow from their kind. */
const STATUS: { readonly [Code in ErrorCode]?: number } = {
  'workflow.unknown-definition': 404,
  'workflow.unknown-execution': 404,
  'workflow.unknown-session': 404,
  'dead-letter.unknown': 404,
  'dead-letter.not-redrivable': 409,
  'dead-letter.unfit': 422,
  'workflow.unknown-output': 404,
  'workflow.ended': 409,
  'workflow.rejected': 409,
  'workflow.not-streaming': 409,
  'workflow.paused': 409,
  'workflow.no-savepoint': 409,
  'workflow.not-upgradable': 409,
  'workflow.patch-conflict': 409,
  'workflow.node-started': 409,
  'workflow.patch-invalid': 422,
  'workflow.invalid': 422,
  'workflow.input': 422,
  'workflow.version-taken': 409,
  'workflow.unanswered': 504,
  'gateway.unauthorized': 401,
  'gateway.forbidden': 403,
  'gateway.not-found': 404,
  'gateway.no-list': 503,
  'gateway.request': 400,
};

const STATUS_OF_KIND = { user: 400, permanent: 422, transient: 503, system: 500 } as const;

/** What of an error a client may see: of errors that are not ours nothing but that there was one. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof FlowError)
    return problem(thrown.code, thrown.message, (thrown as { readonly faults?: readonly unknown[] }).faults);
  const { validation, statusCode, message } = thrown as {
    readonly validation?: readonly { readonly instancePath: string; readonly message?: string }[];
    readonly statusCode?: number;
    readonly message?: string;
  };
  if (validation !== undefined) {
    const faults = validation.map(({ instancePath, message: text }) => ({
      pointer: instancePath,
      message: text ?? 'does not fit',
    }));
    return problem('gateway.request', `the request does not fit: ${message}`, faults);
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { ...problem('gateway.request', message ?? 'the request cannot be read'), status: statusCode };
  }
  return problem('gateway.failed', 'the request failed for a reason that is written to the log');
}

function problem(code: ErrorCode, detail: string, faults?: readonly unknown[]): Problem {
  const { kind, cause, cure } = ERRORS[code];
  return {
    type: `urn:nodeflow:error:${code}`,
    title: cause,
    status: STATUS[code] ?? STATUS_OF_KIND[kind],
    detail: redactText(detail),
    code,
    cure,
    ...(faults === undefined ? {} : { faults: faults.map(redact) }),
  };
}
