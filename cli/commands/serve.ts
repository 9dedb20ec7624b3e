import type { DatabaseAddress } from '../../database/database.ts';
import { createLanguage } from '../../workflows/workflows.ts';
import type { Command } from '../command.ts';
import { type Config, runSettings } from '../config.ts';
import { engineOf, telemetryOf } from '../engine.ts';
import { loadWorkflows, type ServedWorkflows } from '../load-workflows.ts';
import { numberOption } from '../parse.ts';
import { stopped } from '../stopped.ts';
import { openWorkflowService, type WorkflowService } from '../workflow-service.ts';
import type { World } from '../world.ts';

export const serve: Command = {
  name: 'serve',
  parameters: '[file ...]',
  about:
    'Runs workflows and serves them over HTTP, until stopped (SIGINT, SIGTERM). Files are documents (JSON) to publish, or modules that export `workflows`: functions, tasks, types of nodes, documents.',
  words: { min: 0, max: 64 },
  options: {
    port: { value: 'port', about: 'Where it answers; the same as --set gateway.port=..., 0 takes a free one.' },
    'log-level': { value: 'level', about: 'debug, info, warn, error or silent.' },
  },
  async run(call, world) {
    const config = call.config();
    const served = await Promise.all(call.words.map((file) => loadWorkflows(file, world.cwd)));
    const telemetry = telemetryOf(config, world, {});
    const engine = await engineOf(config, world, telemetry);
    try {
      const key = config.text('gateway.key');
      const service = await openWorkflowService({
        engine,
        language: createLanguage(merged(served)),
        settings: { run: { workers: 1, sessionTimeoutMs: runSettings(config).sessionTimeoutMs } },
        ...databaseOf(config),
        gateway: {
          port: numberOption(call, 'port') ?? config.number('gateway.port')!,
          host: config.text('gateway.host')!,
          ...(key === undefined ? {} : { apiKeys: [{ name: 'key', key }] }),
        },
      });
      try {
        const published = await publishAll(service, served);
        tell(service, published, served, call.json, world);
        await stopped(world.stop);
      } finally {
        await service.close();
      }
    } finally {
      await engine.close();
    }
    return 0;
  },
};

/** What several modules give, together; of one name the last one counts. */
function merged(served: readonly ServedWorkflows[]): ServedWorkflows {
  const all: ServedWorkflows = Object.assign({}, ...served);
  const joined = <T extends object>(parts: readonly (T | undefined)[]): T => Object.assign({}, ...parts);
  return {
    ...all,
    functions: joined(served.map(({ functions }) => functions)),
    tasks: joined(served.map(({ tasks }) => tasks)),
    types: served.flatMap(({ types }) => types ?? []),
  };
}

async function publishAll(
  { workflows }: WorkflowService,
  served: readonly ServedWorkflows[],
): Promise<readonly string[]> {
  const published: string[] = [];
  for (const document of served.flatMap(({ documents }) => documents ?? [])) {
    const { id, version } = await workflows.publish(document);
    published.push(`${id} ${version}`);
  }
  return published;
}

function databaseOf(config: Config): { readonly database?: DatabaseAddress | 'none' } {
  const address = config.text('projections.database');
  if (address === undefined) return {};
  return { database: address === 'none' ? 'none' : { url: address } };
}

function tell(
  { gateway }: WorkflowService,
  published: readonly string[],
  served: readonly ServedWorkflows[],
  json: boolean,
  world: World,
): void {
  const { url } = gateway!;
  if (json) {
    world.out(JSON.stringify({ url, published }));
    return;
  }
  world.out(`workflows at ${url}; its interface is described at ${url}/openapi.json. Ctrl+C stops it.`);
  world.out(`  in a browser: ${url}/v1/executions what runs and ran, ${url}/v1/events what happens, as it comes`);
  for (const name of published) world.out(`  published ${name}`);
  for (const { hints = [] } of served) for (const hint of hints) world.out(hint);
}
