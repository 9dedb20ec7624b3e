import type { FastifyInstance } from 'fastify';
import { FlowError } from '../core/errors.ts';
import { CLEARED, PROBLEMS, SESSION_VALUES } from './answer-schemas.ts';
import { commandOf } from './execution-routes.ts';
import type { GatewayOptions } from './gateway.ts';
import { SESSION, SESSION_QUERY } from './request-schemas.ts';

const tags = ['sessions'];

interface Named {
  readonly name: string;
  readonly id: string;
}

export function sessionRoutes(scope: FastifyInstance, { workflows }: GatewayOptions): void {
  scope.get<{ Params: Named; Querystring: { at?: number } }>('/v1/sessions/:name/:id', {
    schema: {
      tags,
      summary: 'A session as it is, or was at a time',
      params: SESSION,
      querystring: SESSION_QUERY,
      response: { 200: SESSION_VALUES, ...PROBLEMS },
    },
    async handler({ params: { name, id }, query: { at } }) {
      const found = await workflows.session(name, id, at === undefined ? {} : { at });
      if (found !== undefined) return found;
      throw new FlowError('workflow.unknown-session', `nothing is kept of the session ${name} of ${id}`);
    },
  });
  scope.post<{ Params: Named }>('/v1/sessions/:name/:id/clear', {
    schema: {
      tags,
      summary: 'Empty a session; twice is as once',
      params: SESSION,
      response: { 200: CLEARED, ...PROBLEMS },
    },
    async handler(request) {
      const { name, id } = request.params;
      await workflows.clearSession(name, id, commandOf(request));
      return { name, id };
    },
  });
}
