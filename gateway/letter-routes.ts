import type { FastifyInstance } from 'fastify';
import type { Json } from '../core/ids.ts';
import type { DeadLetterQuery } from '../projections/projections.ts';
import { commandOf, noList } from './execution-routes.ts';
import type { GatewayOptions } from './gateway.ts';
import { ANSWER, APPROVE, ID, LETTERS, PROBLEM, TOKEN } from './request-schemas.ts';

const response = { 200: ANSWER, '4xx': PROBLEM } as const;

/** What people do: answers to approvals, and dead letters. */
export function letterRoutes(scope: FastifyInstance, { workflows, projections }: GatewayOptions): void {
  scope.post<{ Params: { token: string }; Body: { decision: 'approved' | 'rejected'; value?: Json } }>(
    '/v1/approvals/:token',
    {
      schema: { tags: ['approvals'], summary: 'Answer an approval', params: TOKEN, body: APPROVE, response },
      handler: (request) =>
        workflows.approve(request.params.token, request.body.decision, request.body.value ?? null, commandOf(request)),
    },
  );
  scope.get<{ Querystring: DeadLetterQuery }>('/v1/dead-letters', {
    schema: {
      tags: ['dead letters'],
      summary: 'What was given up, newest first',
      querystring: LETTERS,
      response: { '4xx': PROBLEM },
    },
    async handler({ query }) {
      if (projections === undefined) throw noList();
      return projections.deadLetters(query);
    },
  });
  scope.post<{ Params: { id: string } }>('/v1/dead-letters/:id/redrive', {
    schema: { tags: ['dead letters'], summary: 'Do it again; twice is as once', params: ID, response },
    handler: (request) => workflows.redrive(request.params.id, commandOf(request)),
  });
}
