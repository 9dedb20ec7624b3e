import type { FastifyInstance } from 'fastify';
import { BACKFILLED, PROBLEMS, SCHEDULES } from './answer-schemas.ts';
import type { GatewayOptions } from './gateway.ts';
import { BACKFILL, WORKFLOW } from './request-schemas.ts';

const tags = ['schedules'];

export function scheduleRoutes(scope: FastifyInstance, { workflows }: GatewayOptions): void {
  scope.get('/v1/schedules', {
    schema: {
      tags,
      summary: 'Schedules of workflows, and when they are due next',
      response: { 200: SCHEDULES, ...PROBLEMS },
    },
    async handler() {
      const rows = await workflows.schedules();
      return { rows: rows.map((row) => ({ ...row, next: timeOf(row.next), last: timeOf(row.last) })) };
    },
  });
  scope.post<{ Params: { workflow: string }; Body: { from: string; until: string } }>(
    '/v1/schedules/:workflow/backfill',
    {
      schema: {
        tags,
        summary: 'Run a workflow for past times of its schedule, those that were not run; twice is as once',
        params: WORKFLOW,
        body: BACKFILL,
        response: { 200: BACKFILLED, ...PROBLEMS },
      },
      async handler({ params: { workflow }, body: { from, until }, by }) {
        const options = by === undefined ? {} : { user: by };
        const rows = await workflows.backfill(workflow, Date.parse(from), Date.parse(until), options);
        return { rows: rows.map((row) => ({ ...row, at: timeOf(row.at), from: timeOf(row.from) })) };
      },
    },
  );
}

function timeOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
