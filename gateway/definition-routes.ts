import type { FastifyInstance } from 'fastify';
import { FlowError } from '../core/errors.ts';
import type { Definition } from '../workflows/workflows.ts';
import { DEFINITION, JUDGED, NODE_TYPES, PROBLEMS, SUMMARIES, SUMMARY } from './answer-schemas.ts';
import type { GatewayOptions } from './gateway.ts';
import { ID, VERSION_QUERY } from './request-schemas.ts';

const tags = ['definitions'];
const document = {
  type: 'object',
  description: 'A workflow document; its schema is published with the package.',
} as const;

export function definitionRoutes(scope: FastifyInstance, { workflows }: GatewayOptions): void {
  scope.post('/v1/definitions', {
    schema: {
      tags,
      summary: 'Publish a document under its id and version',
      body: document,
      response: { 201: SUMMARY, ...PROBLEMS },
    },
    async handler(request, reply) {
      const definition = await workflows.publish(request.body, request.by);
      return reply
        .status(201)
        .header('location', `/v1/definitions/${encodeURIComponent(definition.id)}?version=${definition.version}`)
        .send(summary(definition));
    },
  });
  scope.post('/v1/definitions/validate', {
    schema: {
      tags,
      summary: 'All faults of a document, without publishing it',
      body: {},
      response: { 200: JUDGED, ...PROBLEMS },
    },
    handler: async (request) => {
      const faults = workflows.validate(request.body);
      return { valid: faults.length === 0, faults };
    },
  });
  scope.get('/v1/definitions', {
    schema: { tags, summary: 'Every version of every definition', response: { 200: SUMMARIES, ...PROBLEMS } },
    handler: async () => ({ rows: (await workflows.definitions()).map(summary) }),
  });
  scope.get<{ Params: { id: string }; Querystring: { version?: string } }>('/v1/definitions/:id', {
    schema: {
      tags,
      summary:
        'A definition with its document, and what its ports declare by schema id; the newest version unless one is named',
      params: ID,
      querystring: VERSION_QUERY,
      response: { 200: DEFINITION, ...PROBLEMS },
    },
    async handler({ params: { id }, query: { version } }) {
      const found = await workflows.definition(id, version);
      if (found !== undefined) {
        return { ...summary(found), document: found.document, schemas: await workflows.schemas(found.hash) };
      }
      const what = version === undefined ? id : `${id} ${version}`;
      throw new FlowError('workflow.unknown-definition', `there is no definition ${what}; see /v1/definitions`);
    },
  });
  scope.get('/v1/node-types', {
    schema: {
      tags,
      summary: 'The types that nodes of a document may have',
      response: { 200: NODE_TYPES, ...PROBLEMS },
    },
    handler: async () => ({
      rows: workflows.catalog.types.map(
        ({ name, version, title, description, inputs, outputs, config, behaviour, example }) => ({
          ...{ name, version, title, description, inputs, outputs, config, behaviour: behaviour.kind, example },
        }),
      ),
    }),
  });
}

function summary({ id, version, hash, document, publishedAt, publishedBy }: Definition) {
  return { id, version, hash, name: document.name, publishedAt, publishedBy };
}
