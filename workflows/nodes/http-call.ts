import { lookup as resolveName } from 'node:dns/promises';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { aborted } from '../../core/aborted.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Json, Millis } from '../../core/ids.ts';
import { ofStatus } from '../errors/classify.ts';
import { NodeFailure } from '../errors/node-failure.ts';
import { type Allowed, allowedOf, isInternalAddress } from './address-guard.ts';

export interface HttpSettings {
  /** What may be called though it is internal: `host`, `host:port`, or a network such as `10.1.0.0/16`. */
  readonly allow?: readonly string[];
  /** Of an answer. Default 200,000, so that it fits into a value. */
  readonly maxBytes?: number;
  readonly resolve?: HttpParts['resolve'];
  readonly clock?: Clock;
}

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** What calls may reach, and how. */
export interface HttpParts {
  readonly clock: Clock;
  readonly allowed: Allowed;
  /** All addresses of a name. Default: those of the system. */
  readonly resolve: (host: string) => Promise<readonly Address[]>;
  readonly maxBytes: number;
}

const MAX_BYTES = 200_000;

export function httpParts(settings: HttpSettings): HttpParts {
  const { allow = [], clock = systemClock, maxBytes = MAX_BYTES } = settings;
  const { resolve = (host) => resolveName(host, { all: true }) } = settings;
  return { clock, resolve, maxBytes, allowed: allowedOf(allow) };
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string | undefined;
  readonly timeoutMs: Millis;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  /** JSON where the answer says so, else text. */
  readonly body: Json;
}

const MAX_REDIRECTS = 5;

/** Fields that belong to the connection. */
const RESERVED = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'trailer']);

/** Fields that are for the first host alone. */
const PRIVATE = new Set(['authorization', 'cookie', 'proxy-authorization']);

/**
 * One call, with its redirects. Each host is resolved once, all of its addresses are judged, and the connection goes to
 * one of those: what a name server answers later changes nothing.
 */
export async function callHttp(request: HttpRequest, parts: HttpParts, signal: AbortSignal): Promise<HttpAnswer> {
  const stop = new AbortController();
  const cancel = parts.clock.after(request.timeoutMs, () => {
    stop.abort(new NodeFailure('TRANSIENT', 'http.timeout', `no answer within ${request.timeoutMs} ms`));
  });
  try {
    return await follow(request, parts, AbortSignal.any([signal, stop.signal]));
  } finally {
    cancel();
  }
}

async function follow(first: HttpRequest, parts: HttpParts, signal: AbortSignal): Promise<HttpAnswer> {
  let request = first;
  for (let hops = 0; ; hops++) {
    const answer = await read(await ask(request, parts, signal), parts.maxBytes, signal);
    const location = answer.headers['location'];
    if (answer.status < 300 || answer.status > 399 || location === undefined) return succeeded(answer, request, parts);
    if (hops === MAX_REDIRECTS) {
      throw new NodeFailure('PERMANENT', 'http.redirects', `${first.url} redirects more than ${MAX_REDIRECTS} times`);
    }
    request = redirected(request, location, answer.status);
  }
}

/** One request without its redirects, judged like all: the head of what is answered. */
export async function ask(
  request: Omit<HttpRequest, 'timeoutMs'>,
  reach: Pick<HttpParts, 'allowed' | 'resolve'>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = urlOf(request.url);
  return send(request, url, await judged(url, reach, signal), signal);
}

function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new NodeFailure(
      'PERMANENT',
      'http.url',
      `${text.slice(0, 200)} is no address that begins with http:// or https://`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new NodeFailure('PERMANENT', 'http.url', 'credentials do not belong into an address: give a header');
  }
  return url;
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

async function judged(
  url: URL,
  { allowed, resolve }: Pick<HttpParts, 'allowed' | 'resolve'>,
  signal: AbortSignal,
): Promise<readonly Address[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = await Promise.race([resolve(host), aborted(signal)]);
  if (addresses.length === 0) throw new NodeFailure('PERMANENT', 'ENOTFOUND', `${host} has no address`);
  if (allowed.host(host, portOf(url))) return addresses;
  const refused = addresses.find(({ address }) => isInternalAddress(address) && !allowed.address(address));
  if (refused === undefined) return addresses;
  throw new NodeFailure(
    'PERMANENT',
    'http.internal-address',
    `${host} is ${refused.address}, an internal address: allow it in the settings of the engine if it is meant`,
  );
}

function redirected(request: HttpRequest, location: string, status: number): HttpRequest {
  const from = new URL(request.url);
  const to = URL.parse(location, from.href);
  if (to === null) throw new NodeFailure('PERMANENT', 'http.redirects', 'the redirect leads to no address');
  const keeps = status === 307 || status === 308 || request.method === 'GET' || request.method === 'HEAD';
  const elsewhere = to.origin !== from.origin;
  const headers = Object.entries(request.headers).filter(
    ([name]) =>
      !(elsewhere && PRIVATE.has(name.toLowerCase())) && !(!keeps && name.toLowerCase().startsWith('content-')),
  );
  return {
    ...request,
    url: to.href,
    headers: Object.fromEntries(headers),
    ...(keeps ? {} : { method: 'GET', body: undefined }),
  };
}

function send(
  { method, headers, body }: Omit<HttpRequest, 'timeoutMs'>,
  url: URL,
  addresses: readonly Address[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  for (const name of Object.keys(headers)) {
    if (RESERVED.has(name.toLowerCase())) {
      throw new NodeFailure('PERMANENT', 'http.header', `the header ${name} is the connection's own: leave it out`);
    }
  }
  const pinned: LookupFunction = (_host, options, done) => {
    if (options.all === true) done(null, [...addresses]);
    else done(null, addresses[0]!.address, addresses[0]!.family);
  };
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const own = bytes === undefined ? {} : { 'content-length': String(bytes.length) };
  const request = url.protocol === 'https:' ? secureRequest : plainRequest;
  const options = {
    method,
    headers: { 'accept-encoding': 'identity', ...headers, ...own },
    lookup: pinned,
    agent: false,
    signal,
  };
  return new Promise((resolve, reject) => {
    const call = request(url, options as never, resolve);
    call.on('error', (thrown) => reject(signal.aborted ? signal.reason : thrown));
    call.end(bytes);
  });
}

async function read(answer: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new NodeFailure('PERMANENT', 'http.too-large', `the answer has more than ${maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (thrown) {
    throw signal.aborted ? signal.reason : thrown;
  }
  const headers = Object.entries(answer.headers).map(
    ([name, value]) => [name, [value ?? ''].flat().join(', ')] as const,
  );
  const text = Buffer.concat(chunks).toString('utf8');
  return {
    status: answer.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    body: bodyOf(text, answer.headers['content-type'] ?? ''),
  };
}

function bodyOf(text: string, type: string): Json {
  if (!/^application\/([\w.+-]*\+)?json\b/i.test(type)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function succeeded(answer: HttpAnswer, { method, url }: HttpRequest, { clock }: HttpParts): HttpAnswer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  const found = ofStatus(answer.status) ?? ({ class: 'PERMANENT', code: `http.${answer.status}` } as const);
  const retryAfterMs = retryAfter(answer.headers['retry-after'], clock.now());
  const body = typeof answer.body === 'string' ? answer.body.slice(0, 1000) : answer.body;
  const { origin, pathname } = new URL(url);
  throw new NodeFailure(found.class, found.code, `${method} ${origin}${pathname} was answered with ${answer.status}`, {
    detail: { status: answer.status, body: JSON.stringify(body).length > 4000 ? null : body },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Seconds, or a date. */
function retryAfter(text: string | undefined, now: Millis): Millis | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
