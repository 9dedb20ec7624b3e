import type { FastifyInstance } from 'fastify';
import type { Json } from '../core/ids.ts';
import type { LetterChange, LetterQuery, RedriveLetter } from '../workflows/workflows.ts';
import { ANSWER, PROBLEMS } from './answer-schemas.ts';
import { commandOf } from './execution-routes.ts';
import type { GatewayOptions } from './gateway.ts';
import { LETTER, LETTER_PAGE, REDRIVEN, REDRIVEN_PAGE } from './letter-answers.ts';
import { LETTER_QUERY, LETTERS, REDRIVE, REDRIVE_MANY } from './letter-schemas.ts';
import { APPROVE, ID, TOKEN } from './request-schemas.ts';

const tags = ['dead letters'];

type RedriveBody = LetterChange & Pick<RedriveLetter, 'again'>;

interface RedriveManyBody extends Omit<LetterQuery, 'redriven'> {
  readonly ids?: readonly string[];
  readonly preview?: boolean;
  readonly timestamp?: number;
  readonly headers?: { readonly [name: string]: string };
}

/** What people do: answers to approvals, and dead letters. */
export function letterRoutes(scope: FastifyInstance, { workflows }: GatewayOptions): void {
  scope.post<{ Params: { token: string }; Body: { decision: 'approved' | 'rejected'; value?: Json } }>(
    '/v1/approvals/:token',
    {
      schema: {
        ...{ tags: ['approvals'], summary: 'Answer an approval', params: TOKEN, body: APPROVE },
        response: { 200: ANSWER, ...PROBLEMS },
      },
      handler: (request) =>
        workflows.approve(request.params.token, request.body.decision, request.body.value ?? null, commandOf(request)),
    },
  );
  scope.get<{ Querystring: LetterQuery }>('/v1/dead-letters', {
    schema: {
      ...{ tags, summary: 'What was given up: commands, nodes and records, newest first', querystring: LETTERS },
      response: { 200: LETTER_PAGE, ...PROBLEMS },
    },
    handler: ({ query }) => workflows.deadLetters({ ...query }),
  });
  scope.get<{ Params: { id: string }; Querystring: { raw?: boolean } }>('/v1/dead-letters/:id', {
    schema: {
      ...{ tags, summary: 'All of a dead letter; raw: its bytes as they came, with nothing hidden' },
      ...{ params: ID, querystring: LETTER_QUERY },
      response: { 200: LETTER, ...PROBLEMS },
    },
    handler: ({ params: { id }, query }) => workflows.deadLetter(id, { ...query }),
  });
  scope.post<{ Params: { id: string }; Body: RedriveBody | null | undefined }>('/v1/dead-letters/:id/redrive', {
    schema: {
      ...{ tags, summary: 'Do it again, as it was or changed; twice is as once', params: ID, body: REDRIVE },
      response: { 200: REDRIVEN, ...PROBLEMS },
    },
    handler(request) {
      const { again, ...change } = request.body ?? {};
      return workflows.redrive(request.params.id, {
        ...commandOf(request),
        ...(again === undefined ? {} : { again }),
        ...(Object.keys(change).length === 0 ? {} : { change }),
      });
    },
  });
  scope.post<{ Body: RedriveManyBody | null | undefined }>('/v1/dead-letters/redrive', {
    schema: {
      ...{
        tags,
        summary: 'The same of many, or a preview of it: those named, or a page of those found',
        body: REDRIVE_MANY,
      },
      response: { 200: REDRIVEN_PAGE, ...PROBLEMS },
    },
    handler(request) {
      const { ids, preview, timestamp, headers, ...query } = request.body ?? {};
      const { by } = commandOf(request);
      const change = {
        ...(timestamp === undefined ? {} : { timestamp }),
        ...(headers === undefined ? {} : { headers }),
      };
      return workflows.redriveAll(query, {
        ...(ids === undefined ? {} : { ids }),
        ...(preview === undefined ? {} : { preview }),
        ...(Object.keys(change).length === 0 ? {} : { change }),
        ...(by === undefined ? {} : { by }),
      });
    },
  });
}
