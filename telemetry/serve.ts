import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FlowError, messageOf } from '../core/errors.ts';
import { redactText } from './redact.ts';
import type { Telemetry } from './telemetry.ts';

export interface ServeOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Default 127.0.0.1: nobody outside this machine sees it. */
  readonly host?: string;
  /** Whether the application takes records now, for `/readyz`. */
  ready(): boolean;
  /** What keeps it from taking records for a while, where something does. */
  degraded?(): string | undefined;
  /** Why the process had better be started anew, for `/healthz`; `undefined` while all is well. */
  ill?(): string | undefined;
}

export interface TelemetryServer {
  readonly port: number;
  close(): Promise<void>;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/**
 * Serves `/metrics`, `/healthz` (200 while the process is well, or degraded and as well as can be) and `/readyz` (200
 * while ready), else 503. Does not keep
 * the process alive. Fails with `config.invalid` where the port cannot be had.
 */
export async function serveTelemetry(telemetry: Telemetry, options: ServeOptions): Promise<TelemetryServer> {
  const host = options.host ?? '127.0.0.1';
  const server = createServer((request, response) => answer(telemetry, options, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const text = `metrics cannot be served on ${host}:${options.port} (${messageOf(error)}): choose another port`;
      reject(new FlowError('config.invalid', text, { cause: error }));
    });
    server.listen(options.port, host, resolve);
  });
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(telemetry: Telemetry, options: ServeOptions, request: IncomingMessage, response: ServerResponse): void {
  const say = (status: number, type: string, body: string) => {
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const why = options.degraded?.();
  const degraded = why === undefined ? undefined : redactText(why);
  const path = (request.url ?? '/').split('?', 1)[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') say(405, TEXT_TYPE, 'only GET\n');
  else if (path === '/metrics') say(200, METRICS_TYPE, telemetry.exposition());
  else if (path === '/healthz') {
    const ill = options.ill?.();
    if (ill === undefined) say(200, TEXT_TYPE, degraded === undefined ? 'ok\n' : `degraded: ${degraded}\n`);
    else say(503, TEXT_TYPE, `${redactText(ill)}\n`);
  } else if (path === '/readyz') {
    if (options.ready()) say(200, TEXT_TYPE, 'ready\n');
    else say(503, TEXT_TYPE, degraded === undefined ? 'not ready\n' : `not ready: ${degraded}\n`);
  } else say(404, TEXT_TYPE, 'see /metrics, /healthz, /readyz\n');
}
