import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FlowError } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';
import type { ExecutionStatus } from '../events/events.ts';
import type { ExecutionQuery } from '../projections/projections.ts';
import type {
  CommandOptions,
  ExecutionView,
  Intervention,
  Started,
  StartOptions,
  Workflows,
} from '../workflows/workflows.ts';
import { ANSWER, EXECUTION, EXECUTIONS, EXPLANATION, HISTORY, PROBLEMS, STARTED } from './answer-schemas.ts';
import type { GatewayOptions } from './gateway.ts';
import {
  CANCEL,
  FORK,
  ID,
  ID_NAME,
  ID_NODE,
  ID_SEQ,
  INTERVENE,
  ITERATION_QUERY,
  LIST,
  nullable,
  PATCH,
  RETRY,
  START,
  UPGRADE,
} from './request-schemas.ts';

const tags = ['executions'];
const response = { 200: ANSWER, ...PROBLEMS } as const;

interface StartBody extends Omit<StartOptions, 'idempotencyKey' | 'user'> {
  readonly workflow: string;
  readonly input?: Json;
}

type ForkBody = Omit<StartOptions, 'idempotencyKey' | 'user'> & { readonly seq: number };

interface ListQuery extends Omit<ExecutionQuery, 'status' | 'labels'> {
  readonly status?: string;
  readonly label?: readonly string[];
}

/** An `Idempotency-Key` makes a command of it that may be sent again. */
export function commandOf(request: FastifyRequest): CommandOptions {
  const key = request.headers['idempotency-key'];
  return { ...(typeof key === 'string' ? { id: key } : {}), ...(request.by === undefined ? {} : { by: request.by }) };
}

export function executionRoutes(scope: FastifyInstance, options: GatewayOptions): void {
  const { workflows } = options;
  startRoutes(scope, workflows);
  lookRoutes(scope, options);
  commandRoutes(scope, workflows);
}

function startRoutes(scope: FastifyInstance, workflows: Workflows): void {
  scope.post<{ Body: StartBody }>('/v1/executions', {
    schema: {
      tags,
      summary: 'Start an execution',
      body: START,
      response: { 201: STARTED, 200: STARTED, ...PROBLEMS },
    },
    async handler(request, reply) {
      const { workflow, input = null, ...rest } = request.body;
      return answerStarted(reply, await workflows.start(workflow, input, { ...rest, ...startedBy(request) }));
    },
  });
  scope.post<{ Params: { id: string }; Body: ForkBody }>('/v1/executions/:id/fork', {
    schema: {
      tags,
      summary: 'A new execution with the history of this one up to a step',
      params: ID,
      body: FORK,
      response: { 201: STARTED, 200: STARTED, ...PROBLEMS },
    },
    async handler(request, reply) {
      const { seq, ...rest } = request.body;
      const options = { ...rest, ...startedBy(request) };
      return answerStarted(reply, await workflows.fork(request.params.id, seq, options));
    },
  });
}

/** An `Idempotency-Key` makes a start of it that may be sent again. */
function startedBy(request: FastifyRequest): Pick<StartOptions, 'idempotencyKey' | 'user'> {
  const { id: idempotencyKey, by: user } = commandOf(request);
  return { ...(idempotencyKey === undefined ? {} : { idempotencyKey }), ...(user === undefined ? {} : { user }) };
}

function answerStarted(reply: FastifyReply, { execution, existing, definition }: Started): FastifyReply {
  return reply
    .status(existing ? 200 : 201)
    .header('location', `/v1/executions/${encodeURIComponent(execution)}`)
    .send({ execution, workflow: definition.id, version: definition.version, hash: definition.hash, existing });
}

function lookRoutes(scope: FastifyInstance, { workflows, projections }: GatewayOptions): void {
  scope.get<{ Querystring: ListQuery }>('/v1/executions', {
    schema: {
      tags,
      summary: 'List and search executions, newest first',
      querystring: LIST,
      response: { 200: EXECUTIONS, ...PROBLEMS },
    },
    async handler({ query: { status, label, ...rest } }) {
      if (projections === undefined) throw noList();
      return projections.list({
        ...rest,
        ...(status === undefined ? {} : { status: status.split(',') as ExecutionStatus[] }),
        ...(label === undefined ? {} : { labels: Object.fromEntries(label.map(splitLabel)) }),
      });
    },
  });
  scope.get<{ Params: { id: string } }>('/v1/executions/:id', {
    schema: { tags, summary: 'An execution as it stands', params: ID, response: { 200: EXECUTION, ...PROBLEMS } },
    handler: async ({ params: { id } }) => known(id, await workflows.execution(id)),
  });
  scope.get<{ Params: { id: string; seq: number } }>('/v1/executions/:id/at/:seq', {
    schema: {
      tags,
      summary: 'An execution as it stood behind a step',
      params: ID_SEQ,
      response: { 200: EXECUTION, ...PROBLEMS },
    },
    handler: async ({ params: { id, seq } }) => known(id, await workflows.executionAt(id, seq)),
  });
  scope.get<{ Params: { id: string } }>('/v1/executions/:id/history', {
    schema: { tags, summary: 'Every step of an execution', params: ID, response: { 200: HISTORY, ...PROBLEMS } },
    handler: async ({ params: { id } }) => ({ rows: await workflows.history(id) }),
  });
  scope.get<{ Params: { id: string; node: string }; Querystring: { iteration?: string } }>(
    '/v1/executions/:id/nodes/:node/explain',
    {
      schema: {
        tags,
        summary: 'Why a node is where it is, in words',
        params: ID_NODE,
        querystring: ITERATION_QUERY,
        response: { 200: EXPLANATION, ...PROBLEMS },
      },
      handler: ({ params: { id, node }, query: { iteration } }) => workflows.explain(id, node, iteration),
    },
  );
}

function commandRoutes(scope: FastifyInstance, workflows: Workflows): void {
  scope.post<{ Params: { id: string }; Body: { reason?: string; node?: string } | null }>('/v1/executions/:id/cancel', {
    schema: { tags, summary: 'Cancel an execution, or a node of it', params: ID, body: nullable(CANCEL), response },
    handler: (request) => workflows.cancel(request.params.id, { ...request.body, ...commandOf(request) }),
  });
  for (const [what, summary] of PLAIN) {
    scope.post<{ Params: { id: string } }>(`/v1/executions/:id/${what}`, {
      schema: { tags, summary, params: ID, response },
      handler: (request) => workflows[what](request.params.id, commandOf(request)),
    });
  }
  scope.post<{ Params: { id: string; name: string }; Body: Json }>('/v1/executions/:id/signals/:name', {
    schema: { tags, summary: 'Send a signal; its payload is the body', params: ID_NAME, response },
    handler: (request) =>
      workflows.signal(request.params.id, request.params.name, request.body ?? null, commandOf(request)),
  });
  scope.post<{ Params: { id: string }; Body: { version: string } }>('/v1/executions/:id/upgrade', {
    schema: {
      tags,
      summary: 'Let a streaming execution go on in another version, from a savepoint',
      params: ID,
      body: UPGRADE,
      response: { 201: STARTED, 200: STARTED, ...PROBLEMS },
    },
    async handler(request, reply) {
      const { version } = request.body;
      return answerStarted(reply, await workflows.upgrade(request.params.id, { version, ...commandOf(request) }));
    },
  });
  scope.post<{ Params: { id: string }; Body: { node: string } }>('/v1/executions/:id/retry', {
    schema: { tags, summary: 'Begin again at a node', params: ID, body: RETRY, response },
    handler: (request) => workflows.retryFrom(request.params.id, request.body.node, commandOf(request)),
  });
  scope.post<{ Params: { id: string; node: string }; Body: Intervention }>('/v1/executions/:id/nodes/:node/intervene', {
    schema: { tags, summary: 'Decide what the engine could not', params: ID_NODE, body: INTERVENE, response },
    handler: (request) => workflows.intervene(request.params.id, request.params.node, request.body, commandOf(request)),
  });
  scope.post<{ Params: { id: string }; Body: { baseRevision: number; ops: Parameters<Workflows['patch']>[2] } }>(
    '/v1/executions/:id/patch',
    {
      schema: { tags, summary: 'Change the graph of a running execution', params: ID, body: PATCH, response },
      handler: (request) =>
        workflows.patch(request.params.id, request.body.baseRevision, request.body.ops, commandOf(request)),
    },
  );
}

/** Commands that say nothing but their name. */
const PLAIN = [
  ['pause', 'Begin nothing new'],
  ['resume', 'Go on'],
  ['end', 'Let a streaming execution take what is there as the whole, and complete'],
  ['savepoint', 'End a streaming execution, and keep what its segments have'],
  ['forget', 'Take away what segments kept at a savepoint'],
] as const;

function known(id: string, found: ExecutionView | undefined): ExecutionView {
  if (found !== undefined) return found;
  throw new FlowError(
    'workflow.unknown-execution',
    `there is no execution ${id} that is still known; see /v1/executions`,
  );
}

function splitLabel(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

function noList(): FlowError {
  return new FlowError(
    'gateway.no-list',
    'the read side is not configured; name its database, or ask for executions by their ids',
  );
}
