import type { Json } from '../../core/ids.ts';
import type { NodeType, TaskContext } from '../catalog.ts';
import { durationOf } from '../duration.ts';
import { NodeFailure } from '../errors/node-failure.ts';
import { exampleDocument, fields, SPAN, TEMPLATE, TEXT, VALUE_IN, VALUE_OUT } from './example.ts';
import { callHttp, type HttpRequest, type HttpSettings, httpParts } from './http-call.ts';
import { type Secrets, withSecrets } from './secrets.ts';

interface HttpConfig {
  readonly method?: string;
  readonly url: string;
  readonly query?: { readonly [name: string]: Json };
  readonly headers?: { readonly [name: string]: Json };
  readonly body?: Json;
  readonly timeout?: string;
}

export function httpType(settings: HttpSettings, secrets: Secrets): NodeType {
  const parts = httpParts(settings);
  return {
    name: 'task.http',
    version: 1,
    title: 'HTTP call',
    description:
      'Calls an address, and puts out { status, headers, body }, the body as JSON where the answer is. 429 and 503 are ' +
      'tried again when Retry-After says; 408, 425 and 5xx by the policy; other 4xx fail at once. Calls that change ' +
      'something carry an Idempotency-Key, equal for all attempts. Internal addresses are refused, unless the engine ' +
      'was told to allow them, and so are redirects to them.',
    inputs: VALUE_IN,
    outputs: VALUE_OUT,
    config: fields(
      {
        method: { enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] },
        url: TEXT,
        query: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null', 'object'] } },
        headers: { type: 'object', additionalProperties: { type: ['string', 'object'] } },
        body: TEMPLATE,
        timeout: SPAN,
      },
      ['url'],
    ),
    secrets: true,
    policy: { retry: { maxAttempts: 5, initial: '500ms', max: '1m' } },
    behaviour: {
      kind: 'task',
      run: async (config, _inputs, context) => {
        const request = requestOf(withSecrets(config, secrets) as unknown as HttpConfig, context);
        const answer = await callHttp(request, parts, context.signal);
        return { out: answer as unknown as Json };
      },
    },
    check(node) {
      const url = node.data?.config?.['url'];
      if (typeof url !== 'string' || url === '' || url.startsWith('=') || /^https?:\/\/[^/?#]/i.test(url)) return [];
      return [
        {
          code: 'workflow.config',
          field: '/url',
          message: `url of node ${node.id} is no address that begins with http:// or https://`,
          cure: 'Write the whole address, or an expression for one behind =.',
        },
      ];
    },
    example: {
      document: exampleDocument(
        [
          {
            id: 'rate',
            type: 'task.http',
            data: {
              config: {
                url: '= input.api + "/rates"',
                query: { currency: '= input.currency' },
                headers: { authorization: { secret: 'RATES_TOKEN' } },
                timeout: '5s',
              },
            },
          },
          { id: 'value', type: 'expression', data: { config: { value: '= value.body.rate * input.amount' } } },
        ],
        [{ source: 'rate', target: 'value' }],
      ),
      input: { api: 'https://api.example.com', currency: 'EUR', amount: 10 },
      output: { value: 25 },
    },
  };
}

function requestOf(config: HttpConfig, { idempotencyKey }: TaskContext): HttpRequest {
  const { method = 'GET', body } = config;
  const url = URL.parse(config.url);
  if (url === null) throw new NodeFailure('PERMANENT', 'http.url', `${config.url.slice(0, 200)} is no address`);
  for (const [name, value] of Object.entries(config.query ?? {})) {
    if (value !== null) url.searchParams.append(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const given = Object.entries(config.headers ?? {}).map(([name, value]) => [name, String(value)] as const);
  const has = (name: string) => given.some(([one]) => one.toLowerCase() === name);
  const changes = method !== 'GET' && method !== 'HEAD';
  const isText = typeof body === 'string';
  return {
    method,
    url: url.href,
    headers: {
      ...(body === undefined || has('content-type')
        ? {}
        : { 'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json' }),
      ...(changes && !has('idempotency-key') ? { 'idempotency-key': idempotencyKey } : {}),
      ...Object.fromEntries(given),
    },
    body: body === undefined ? undefined : isText ? body : JSON.stringify(body),
    timeoutMs: durationOf(config.timeout ?? '30s') ?? 30_000,
  };
}
