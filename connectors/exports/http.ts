import { FlowError, messageOf } from '../../core/errors.ts';
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
}

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
  { url, method = 'POST', headers, timeoutMs = DEFAULT_TIMEOUT_MS }: HttpEndpointOptions,
  key: string,
  body: ExportRow | readonly ExportRow[],
): Promise<void> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', ...headers, 'idempotency-key': key },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel();
  } catch (thrown) {
    const { cause } = thrown as { readonly cause?: unknown };
    throw new FlowError('export.failed', `${withoutSecrets(url)} cannot be reached: ${messageOf(cause ?? thrown)}`, {
      cause: thrown,
    });
  }
  if (answer.ok) return;
  const what = `${withoutSecrets(url)} answered ${answer.status} to ${key}`;
  if (PASSING.includes(answer.status)) throw new FlowError('export.failed', what);
  throw new FlowError('export.refused', `${what}; correct the request or the server`);
}

function withoutSecrets(text: string): string {
  try {
    const url = new URL(text);
    return `${url.origin}${url.pathname}`;
  } catch {
    throw new FlowError('config.invalid', `${JSON.stringify(text)} is no address; write it like https://host/path`);
  }
}
