import { FlowError, isFlowError, messageOf } from '../../core/errors.ts';
import type { Millis, Position } from '../../core/ids.ts';
import type { ExportRow, ExportTarget } from '../export.ts';

export interface HttpEndpointOptions {
  readonly url: string;
  readonly method?: 'POST' | 'PUT';
  readonly headers?: { readonly [name: string]: string };
  /** Records in a request, as a JSON array. Default 100; 1 sends the record alone. */
  readonly batch?: number;
  /** Default 30 s. */
  readonly timeoutMs?: Millis;
  /** How a request is made. Default: by `fetch`, to any address. */
  readonly request?: SendRequest;
}

export interface ExportRequest {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** Makes one request, and follows no redirect. Answers the status; throws `export.refused` what it will never send. */
export type SendRequest = (request: ExportRequest, signal: AbortSignal) => Promise<number>;

const DEFAULT_BATCH = 100;
const DEFAULT_TIMEOUT_MS = 30_000;
/** What may pass: the server is busy, or away behind a proxy. */
const PASSING = [408, 425, 429, 500, 502, 503, 504];

/**
 * Requests to an address, at least once. Each carries `Idempotency-Key: <export>/<partition>/<first position>`, equal
 * whenever it is sent again after a failure, so that whoever takes it can tell. Where the export goes on after a restart
 * the other side does not know: it begins at the start of the topic again.
 */
export function httpEndpoint(options: HttpEndpointOptions): ExportTarget {
  const { url, batch = DEFAULT_BATCH } = options;
  if (!Number.isInteger(batch) || batch < 1)
    throw new FlowError('config.invalid', `a request to ${url} holds 1 record or more, not ${batch}`);
  return {
    description: { url: withoutSecrets(url) },
    guarantee: 'at-least-once',
    open: async ({ name }) => {
      // where a write is tried again, what had arrived of it is not sent anew
      const sent = new Map<number, Position>();
      return {
        positions: [],
        async write(rows) {
          for (let i = 0; i < rows.length; i += batch) {
            const part = rows.slice(i, i + batch);
            const [first] = part;
            const { partition, position } = part.at(-1)!;
            if (position < (sent.get(partition) ?? 0)) continue;
            await send(options, `${name}/${partition}/${first!.position}`, batch === 1 ? first! : part);
            sent.set(partition, position + 1);
          }
        },
        finish: async () => undefined,
        close: async () => undefined,
      };
    },
  };
}

async function send(
  { url, method = 'POST', headers, timeoutMs = DEFAULT_TIMEOUT_MS, request = byFetch }: HttpEndpointOptions,
  key: string,
  rows: ExportRow | readonly ExportRow[],
): Promise<void> {
  const fields = { 'content-type': 'application/json', ...headers, 'idempotency-key': key };
  const body = JSON.stringify(rows);
  let status: number;
  try {
    status = await request({ url, method, headers: fields, body }, AbortSignal.timeout(timeoutMs));
  } catch (thrown) {
    if (isFlowError(thrown)) throw thrown;
    const { cause } = thrown as { readonly cause?: unknown };
    throw new FlowError('export.failed', `${withoutSecrets(url)} cannot be reached: ${messageOf(cause ?? thrown)}`, {
      cause: thrown,
    });
  }
  if (status >= 200 && status < 300) return;
  const what = `${withoutSecrets(url)} answered ${status} to ${key}`;
  if (PASSING.includes(status)) throw new FlowError('export.failed', what);
  throw new FlowError('export.refused', `${what}; correct the request or the server`);
}

async function byFetch({ url, ...request }: ExportRequest, signal: AbortSignal): Promise<number> {
  const answer = await fetch(url, { ...request, redirect: 'error', signal });
  await answer.body?.cancel();
  return answer.status;
}

function withoutSecrets(text: string): string {
  try {
    const url = new URL(text);
    return `${url.origin}${url.pathname}`;
  } catch {
    throw new FlowError('config.invalid', `${JSON.stringify(text)} is no address; write it like https://host/path`);
  }
}
