import { createLanguage, openEngine, openWorkflowService, type ServedWorkflows, type Workflows } from '../index.ts';

/** Serves workflows on a log in memory while `body` runs, their documents published. */
export async function withWorkflows(
  served: ServedWorkflows,
  body: (workflows: Workflows) => Promise<void>,
): Promise<void> {
  const engine = await openEngine({ log: 'memory' });
  const service = await openWorkflowService({
    engine,
    language: createLanguage(served),
    settings: { partitions: 2 },
    database: 'none',
  });
  try {
    for (const document of served.documents ?? []) await service.workflows.publish(document);
    await body(service.workflows);
  } finally {
    await service.close();
    await engine.close();
  }
}
