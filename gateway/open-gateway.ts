import type { AddressInfo } from 'node:net';
import swagger from '@fastify/swagger';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { FlowError, messageOf } from '../core/errors.ts';
import { type Logger, redactText } from '../telemetry/telemetry.ts';
import { checkProtected, isForeign, isRebound, keyOf } from './auth.ts';
import { closeServer } from './close-server.ts';
import { definitionRoutes } from './definition-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { executionRoutes } from './execution-routes.ts';
import { type Gateway, type GatewayOptions, MOST_BODY_BYTES } from './gateway.ts';
import { letterRoutes } from './letter-routes.ts';
import { outputRoutes } from './output-routes.ts';
import { PROBLEM_TYPE, type Problem, problemOf } from './problem.ts';
import { scheduleRoutes } from './schedule-routes.ts';
import { sessionRoutes } from './session-routes.ts';

const OPEN_TO_ALL: readonly string[] = ['/healthz', '/readyz'];
const MOST_MESSAGE_BYTES = 64 * 1024;
/** As it is written in an address: what a schema bounds is shorter. */
const LONGEST_PARAMETER = 4096;

declare module 'fastify' {
  interface FastifyRequest {
    /** The name of the key that it came with; undefined where none is needed. */
    by: string | undefined;
  }
}

/** Opens the door. Fails with `gateway.unprotected`, and with `port.taken` where the port cannot be had. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { host = '127.0.0.1', port, telemetry } = options;
  checkProtected(host, options.apiKeys ?? []);
  const ended = new AbortController();
  const app = Fastify({
    bodyLimit: MOST_BODY_BYTES,
    // a query parameter comes as text; a body has the types it has
    ajv: { customOptions: { coerceTypes: 'array', removeAdditional: false, allErrors: true } },
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: LONGEST_PARAMETER },
  });
  // schemas of answers describe them; to serialise by one would leave out what it does not name
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.decorateRequest('by', undefined);
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Node Flow', version: '1' }, ...security(options) },
  });
  await app.register(websocket, { options: { maxPayload: MOST_MESSAGE_BYTES, perMessageDeflate: false } });
  app.addHook('onRequest', async (request) => admit(request, options));
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    tellProblem(problem, error, request, telemetry.log);
    void reply.status(problem.status).type(PROBLEM_TYPE).send(problem);
  });
  app.setNotFoundHandler((request) => {
    throw new FlowError(
      'gateway.not-found',
      `there is nothing at ${request.method} ${request.url.split('?')[0]}; see /openapi.json`,
    );
  });
  await app.register(async (scope) => {
    definitionRoutes(scope, options);
    executionRoutes(scope, options);
    outputRoutes(scope, options);
    letterRoutes(scope, options);
    scheduleRoutes(scope, options);
    sessionRoutes(scope, options);
    eventRoutes(scope, options, ended.signal);
    ownRoutes(scope, app, options);
  });
  try {
    await app.listen({ host, port });
  } catch (thrown) {
    await app.close();
    throw new FlowError(
      'port.taken',
      `the gateway cannot listen on ${host}:${port} (${messageOf(thrown)}); choose another port`,
      { cause: thrown },
    );
  }
  const { port: taken } = app.server.address() as AddressInfo;
  return {
    port: taken,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    async close() {
      ended.abort();
      await closeServer(app, options.clock);
    },
  };
}

/** What was refused stands in the log as what failed does; of the address no query, which may hold anything. */
function tellProblem({ status, code, detail }: Problem, thrown: unknown, request: FastifyRequest, log: Logger): void {
  const { method, url, by } = request;
  const fields = { method, url: url.split('?')[0], status, code, ...(by === undefined ? {} : { by }) };
  const refused = `a request was refused: ${detail}`;
  if (status < 500) method === 'GET' ? log.info(fields, refused) : log.warn(fields, refused);
  else log.error(fields, `a request failed: ${messageOf(thrown)}`);
}

async function admit(request: FastifyRequest, { apiKeys = [] }: GatewayOptions): Promise<void> {
  const { url, headers } = request;
  if (isForeign(headers.origin, headers.host)) {
    throw new FlowError(
      'gateway.forbidden',
      `a page of ${headers.origin} asked; pages are served from the same origin as this interface`,
    );
  }
  if (apiKeys.length === 0) {
    if (!isRebound(headers.host)) return;
    throw new FlowError(
      'gateway.forbidden',
      `${headers.host} is no name of the loopback; ask by 127.0.0.1, or set an API key`,
    );
  }
  if (OPEN_TO_ALL.includes(url)) return;
  request.by = keyOf(headers.authorization, apiKeys);
  if (request.by === undefined) {
    throw new FlowError('gateway.unauthorized', 'an API key is needed; send it as `Authorization: Bearer <key>`');
  }
}

function security({ apiKeys = [] }: GatewayOptions) {
  if (apiKeys.length === 0) return {};
  return {
    components: { securitySchemes: { key: { type: 'http' as const, scheme: 'bearer' } } },
    security: [{ key: [] }],
  };
}

function ownRoutes(scope: FastifyInstance, app: FastifyInstance, { telemetry, health }: GatewayOptions): void {
  const hide = { schema: { hide: true } };
  const state = () => health?.() ?? { ready: true, degraded: undefined, ill: undefined };
  scope.get('/healthz', hide, async (_, reply) => {
    const { ill, degraded } = state();
    const reason = ill ?? degraded;
    return reply
      .status(ill === undefined ? 200 : 503)
      .send({ status: ill === undefined ? 'well' : 'ill', reason: reason === undefined ? null : redactText(reason) });
  });
  scope.get('/readyz', hide, async (_, reply) => {
    const { ready } = state();
    return reply.status(ready ? 200 : 503).send({ ready });
  });
  scope.get('/metrics', hide, async (_, reply) => reply.type('text/plain; version=0.0.4').send(telemetry.exposition()));
  scope.get('/openapi.json', hide, async () => app.swagger());
}
