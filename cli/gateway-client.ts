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
  /** Resolves when a stream of events stands; then its lines, until it ends or is stopped. */
  events(path: string, stop: AbortSignal): Promise<AsyncIterableIterator<string>>;
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
    async events(path, stop) {
      const answer = await send('GET', path, { headers: own, signal: stop });
      return linesOf(answer.body!, stop);
    },
  };
}

async function* linesOf(body: ReadableStream<Uint8Array>, stop: AbortSignal): AsyncGenerator<string> {
  let text = '';
  try {
    for await (const part of body.pipeThrough(new TextDecoderStream())) {
      text += part;
      const lines = text.split('\n');
      text = lines.pop()!;
      for (const line of lines) if (line.startsWith('data: ')) yield line.slice('data: '.length);
    }
  } catch (thrown) {
    if (!stop.aborted) throw thrown;
  }
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
