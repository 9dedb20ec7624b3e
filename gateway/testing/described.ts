import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Content {
  readonly [type: string]: { readonly schema: { readonly contentSchema?: object } };
}

interface Description {
  readonly paths: {
    readonly [path: string]: {
      readonly [method: string]: { readonly responses: { readonly [status: string]: { readonly content?: Content } } };
    };
  };
}

/** Holds answers to what `/openapi.json` tells of them: a field that is not described fails, as one that is missing does. */
export interface Described {
  /** As `fetch`, of a path; the answer is judged when its body can be read whole. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** A message of a WebSocket, as it came. */
  readonly message: (text: string) => void;
  /** What came as Server-Sent Events, of which the last may be cut off. */
  readonly stream: (text: string) => void;
  /** Methods and paths with the statuses that were seen, such as `get /v1/executions 200`. */
  readonly seen: ReadonlySet<string>;
  /** All of those that could be. */
  readonly operations: readonly string[];
}

const ajv = new Ajv2020({ strict: false, allErrors: true });
const checks = new Map<object, ValidateFunction>();

/** Fails where a value is not as a schema says. */
export function judge(schema: object, value: unknown, what: string): void {
  const check = checks.get(schema) ?? ajv.compile(schema);
  checks.set(schema, check);
  assert.ok(check(value), `${what}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(value)}`);
}

/** Of the gateway at an address. */
export async function described(url: string, headers: Record<string, string> = {}): Promise<Described> {
  const { paths } = (await (await fetch(`${url}/openapi.json`, { headers })).json()) as Description;
  const seen = new Set<string>();
  // a path with fewer parameters is meant where two would fit
  const routes = Object.keys(paths)
    .map((path) => ({ path, parts: path.split('/') }))
    .sort((a, b) => a.path.split('{').length - b.path.split('{').length);
  const pathOf = (asked: string) => {
    const parts = asked.split('?')[0]!.split('/');
    const fits = (of: readonly string[]) =>
      of.length === parts.length && of.every((part, index) => part.startsWith('{') || part === parts[index]);
    return routes.find((route) => fits(route.parts))?.path;
  };
  const contentOf = (method: string, path: string, status: number, type: string) => {
    const responses = paths[path]![method]!.responses;
    const content = (responses[status] ?? responses[`${Math.floor(status / 100)}XX`])?.content;
    const found = content?.[type]?.schema;
    assert.ok(found !== undefined, `${method} ${path} ${status} as ${type} is not described`);
    return found;
  };
  return {
    seen,
    operations: Object.entries(paths).flatMap(([path, of]) => Object.keys(of).map((method) => `${method} ${path}`)),
    message: (text) => {
      const path = '/v1/events/socket';
      judge(contentOf('get', path, 101, 'application/json'), JSON.parse(text), path);
      seen.add(`get ${path} 101`);
    },
    stream: (text) => {
      const { contentSchema } = contentOf('get', '/v1/events', 200, 'text/event-stream');
      for (const each of text.split('\n\n').slice(0, -1)) {
        const data = /^id: .*\nevent: .*\ndata: (.*)$/.exec(each)?.[1];
        if (data === undefined) continue;
        judge(contentSchema!, JSON.parse(data), 'an event of /v1/events');
        seen.add('get /v1/events 200');
      }
    },
    async fetch(asked, init = {}) {
      const answer = await fetch(`${url}${asked}`, init);
      const path = pathOf(asked);
      const method = (init.method ?? 'GET').toLowerCase();
      if (path === undefined || paths[path]![method] === undefined) return answer;
      const type = answer.headers.get('content-type')!.split(';')[0]!;
      const schema = contentOf(method, path, answer.status, type);
      const what = `${method} ${path} ${answer.status}`;
      // its events are given to `stream`
      if (type === 'text/event-stream') return answer;
      seen.add(what);
      judge(schema, await answer.clone().json(), what);
      return answer;
    },
  };
}
