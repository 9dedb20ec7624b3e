import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FlowError, messageOf } from '../core/errors.ts';
import { REST_TYPE } from '../schemas/schemas.ts';
import type { HttpAnswer, SchemaRegistryHost } from './registry.ts';

export interface ServeRegistryOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Default 127.0.0.1: nobody outside this machine reaches it. */
  readonly host?: string;
}

export interface RegistryServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Serves a registry over HTTP. Fails with `port.taken` where the port cannot be had. */
export async function serveRegistry(
  registry: Pick<SchemaRegistryHost, 'answer'>,
  { port, host = '127.0.0.1' }: ServeRegistryOptions,
): Promise<RegistryServer> {
  const server = createServer((request, response) => {
    answer(registry, request).then(
      (answered) => say(response, answered),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const text = `the registry cannot be served on ${host}:${port} (${messageOf(error)}); choose another port`;
      reject(new FlowError('port.taken', text, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  const taken = (server.address() as AddressInfo).port;
  return {
    port: taken,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(registry: Pick<SchemaRegistryHost, 'answer'>, request: IncomingMessage): Promise<HttpAnswer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size <= MAX_BODY_BYTES) parts.push(part);
  }
  if (size > MAX_BODY_BYTES) return fault(413, `a body of more than ${MAX_BODY_BYTES} bytes`);
  let body: unknown;
  if (size > 0) {
    try {
      body = JSON.parse(Buffer.concat(parts).toString());
    } catch {
      return fault(400, 'the body is no JSON');
    }
  }
  return registry.answer({ method: request.method ?? 'GET', path: request.url ?? '/', body });
}

function fault(code: number, message: string): HttpAnswer {
  return { status: code, body: { error_code: code, message } };
}

function say(response: ServerResponse, { status, body }: HttpAnswer): void {
  response.writeHead(status, { 'content-type': REST_TYPE, 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
