import type { FastifyInstance } from 'fastify';
import { FlowError } from '../core/errors.ts';
import type { OutputView } from '../workflows/workflows.ts';
import { OUTPUT_VALUE, PROBLEMS } from './answer-schemas.ts';
import type { GatewayOptions } from './gateway.ts';
import { OUTPUT, OUTPUT_OF_NODE } from './request-schemas.ts';

interface Whole {
  readonly execution: string;
  readonly seq: number;
}

interface OfNode extends Whole {
  /** With its iteration behind `@`, where it has one. */
  readonly node: string;
  readonly port: string;
}

/** What stands behind `/v1/outputs/` is a reference as events tell it. */
export function outputRoutes(scope: FastifyInstance, { workflows }: GatewayOptions): void {
  const tags = ['outputs'];
  const response = { 200: OUTPUT_VALUE, ...PROBLEMS } as const;
  const look = async (...parts: readonly (string | number)[]): Promise<OutputView> => {
    const reference = parts.map(encodeURIComponent).join('/');
    const found = await workflows.output(reference);
    if (found !== undefined) return found;
    throw new FlowError('workflow.unknown-output', `nothing was put out at ${reference} that is still known`);
  };
  scope.get<{ Params: Whole }>('/v1/outputs/:execution/:seq', {
    schema: { tags, summary: 'What an execution answered, by its reference', params: OUTPUT, response },
    handler: ({ params: { execution, seq } }) => look(execution, seq),
  });
  scope.get<{ Params: OfNode }>('/v1/outputs/:execution/:seq/:node/:port', {
    schema: {
      tags,
      summary: 'What a node put out at a port in one step, by its reference',
      params: OUTPUT_OF_NODE,
      response,
    },
    handler: ({ params: { execution, seq, node, port } }) => look(execution, seq, node, port),
  });
}
