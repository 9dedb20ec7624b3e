import { ERRORS, type ErrorCode, FlowError, messageOf } from '../core/errors.ts';
import type { Config } from './config.ts';

/** The HTTP interface of running workflows, as commands ask it. */
export interface GatewayClient {
  /** What it answers, read as JSON. A problem is thrown as the error that it stands for. */
  ask<T>(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    headers?: { readonly [name: string]: string },
  ): Promise<T>;
  /**
   * Resolves when a stream of events stands; then its events, until it is stopped. Fails with `gateway.closed` where the
   * other side ends it. `after`: goes on behind the event of that cursor.
   */
  events(path: string, stop: AbortSignal, after?: string): Promise<AsyncIterableIterator<LiveEvent>>;
}

export interface LiveEvent {
  readonly cursor: string;
  /** JSON. */
  readonly data: string;
}

interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly faults?: readonly { readonly pointer?: string; readonly message?: string; readonly cure?: string }[];
}

export function gatewayOf(config: Config): GatewayClient {
  const base = config.text('gateway.url')!.replace(/\/$/, '');
  const key = config.text('gateway.key');
  const own = key === undefined ? {} : { authorization: `Bearer ${key}` };

  async function send(method: string, path: string, rest: RequestInit): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(`${base}${path}`, { method, ...rest });
    } catch (thrown) {
      const why = messageOf((thrown as { readonly cause?: unknown }).cause ?? thrown);
      throw new FlowError(
        'gateway.unreachable',
        `no workflows are served at ${base} (${why}); start them with \`nodeflow serve\`, or set gateway.url`,
        { cause: thrown },
      );
    }
    if (answer.ok) return answer;
    throw problemError(answer.status, (await answer.json().catch(() => ({}))) as ProblemBody);
  }

  return {
    async ask(method, path, body, headers = {}) {
      const json = body === undefined ? {} : { 'content-type': 'application/json' };
      const rest = {
        headers: { ...json, ...headers, ...own },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      };
      return (await (await send(method, path, rest)).json()) as never;
    },
    async events(path, stop, after) {
      const headers = { ...own, ...(after === undefined ? {} : { 'last-event-id': after }) };
      const answer = await send('GET', path, { headers, signal: stop });
      return eventsOf(answer.body!, stop);
    },
  };
}

async function* eventsOf(body: ReadableStream<Uint8Array>, stop: AbortSignal): AsyncGenerator<LiveEvent> {
  let text = '';
  let reason = 'the connection was cut';
  try {
    for await (const part of body.pipeThrough(new TextDecoderStream())) {
      const blocks = `${text}${part}`.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => fieldOf(line)));
        const data = fields.get('data');
        if (data === undefined) continue;
        if (fields.get('event') === 'closed') reason = (JSON.parse(data) as { readonly reason: string }).reason;
        else yield { cursor: fields.get('id') ?? '', data };
      }
    }
  } catch (thrown) {
    if (stop.aborted) return;
    reason = messageOf(thrown);
  }
  if (!stop.aborted) throw new FlowError('gateway.closed', `the stream of events has ended: ${reason}`);
}

/** Of a line of a stream of server-sent events; a comment has an empty name. */
function fieldOf(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(': ');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 2)];
}

function problemError(status: number, { code, detail, faults = [] }: ProblemBody): FlowError {
  const listed = faults.map(
    ({ pointer, message, cure }) => `\n  ${pointer ?? ''} ${message ?? ''}${cure === undefined ? '' : ` ${cure}`}`,
  );
  const text = `${detail ?? `the gateway answered ${status}`}${listed.join('')}`;
  return new FlowError(
    code !== undefined && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'gateway.failed',
    text,
  );
}
