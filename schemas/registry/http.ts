import { Agent, type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure, Agent as SecureAgent } from 'node:https';
import { FlowError, messageOf } from '../../core/errors.ts';
import type { RegistryOptions } from './registry.ts';
import { REST_TYPE, type RestAnswer, type RestRequest, type Transport, TransportFailure } from './transport.ts';

export interface HttpTransport {
  readonly send: Transport;
  /** The addresses without user and password. */
  readonly name: string;
  close(): void;
}

/** What is longer is no schema. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const ATTEMPT_MS = 5000;
/** Codes that Node gives where TLS is at fault, and not who answers. */
const TLS_CODES = /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_|UNABLE_TO|SELF_SIGNED|HOSTNAME_MISMATCH|ERR_OSSL)/;

interface Address {
  readonly url: URL;
  readonly authorization: string | undefined;
}

/** Asks a registry over HTTP: the first of its addresses that answers, from then on that one first. */
export function httpTransport(options: RegistryOptions): HttpTransport {
  const addresses = options.url.split(',').map((text) => addressOf(text.trim(), options));
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const tls = { ca: options.ca, cert: options.certificate, key: options.key };
  const secureAgent = new SecureAgent({ keepAlive: true, maxSockets: 8, ...tls });
  let first = 0;
  return {
    name: addresses.map(({ url }) => `${url.origin}${url.pathname.replace(/\/$/, '')}`).join(','),
    async send(request, signal) {
      let failure: unknown;
      for (let i = 0; i < addresses.length; i++) {
        const at = (first + i) % addresses.length;
        const address = addresses[at]!;
        try {
          const isSecure = address.url.protocol === 'https:';
          const answer = await ask(address, request, isSecure ? secureAgent : agent, signal);
          first = at;
          return answer;
        } catch (thrown) {
          failure = thrown;
          if (signal.aborted) break;
        }
      }
      throw failure;
    },
    close() {
      agent.destroy();
      secureAgent.destroy();
    },
  };
}

function addressOf(text: string, { username, password }: RegistryOptions): Address {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new FlowError('config.invalid', `registry.url holds ${JSON.stringify(text)}; write http://host:port`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FlowError('config.invalid', `registry.url begins with ${url.protocol}; write http:// or https://`);
  }
  const user = username ?? (url.username === '' ? undefined : decodeURIComponent(url.username));
  const secret = password ?? decodeURIComponent(url.password);
  url.username = '';
  url.password = '';
  const authorization = user === undefined ? undefined : `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
  return { url, authorization };
}

function ask(
  { url, authorization }: Address,
  { method, path, body }: RestRequest,
  agent: Agent | SecureAgent,
  signal: AbortSignal,
): Promise<RestAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    accept: `${REST_TYPE}, application/json`,
    ...(text === undefined ? {} : { 'content-type': REST_TYPE, 'content-length': Buffer.byteLength(text) }),
    ...(authorization === undefined ? {} : { authorization }),
  };
  const target = new URL(`${url.pathname.replace(/\/$/, '')}${path}`, url.origin);
  const send = url.protocol === 'https:' ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = send(target, { method, headers, agent, signal, timeout: ATTEMPT_MS }, (response) => {
      read(response).then(resolve, fail);
    });
    const fail = (thrown: unknown) => reject(failureOf(thrown));
    request.on('timeout', () => request.destroy(new Error(`no answer for ${ATTEMPT_MS} ms`)));
    request.on('error', fail);
    request.end(text);
  });
}

async function read(response: IncomingMessage): Promise<RestAnswer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString();
  return { status: response.statusCode ?? 0, body: jsonOf(text) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failureOf(thrown: unknown): TransportFailure {
  const code = (thrown as { code?: unknown }).code;
  // an address with several IPs fails with all of their reasons in one, and no message
  const [inner] = thrown instanceof AggregateError ? (thrown.errors as unknown[]) : [];
  const message = messageOf(inner ?? thrown);
  const isTls = typeof code === 'string' && TLS_CODES.test(code);
  return new TransportFailure(isTls ? 'security' : 'unreachable', message);
}
