import { seededRandom } from '../../core/random.ts';
import { openRegistry, type RegistryServer, SCHEMAS_TOPIC, serveRegistry } from '../../registry/registry.ts';
import type { Command } from '../command.ts';
import { engineOf, telemetryOf } from '../engine.ts';
import { numberOption } from '../parse.ts';
import { stopped } from '../stopped.ts';
import type { World } from '../world.ts';

/** Where Confluent's registry listens. */
const PORT = 8081;

export const registry: Command = {
  name: 'registry',
  parameters: '',
  about: "Serves a schema registry with the REST interface of Confluent's, kept on the log, until stopped.",
  words: { min: 0, max: 0 },
  options: {
    port: { value: 'port', about: `Where it listens; default ${PORT}, 0 takes a free one.` },
    host: { value: 'address', about: 'On which address; default 127.0.0.1, which only this machine reaches.' },
    topic: { value: 'topic', about: `The compacted topic that keeps it; default ${SCHEMAS_TOPIC}.` },
  },
  async run(call, world) {
    const port = numberOption(call, 'port') ?? PORT;
    const host = call.option('host');
    const topic = call.option('topic');
    const config = call.config();
    const { log, close } = await engineOf(config, world, telemetryOf(config, world, {}));
    const random = seededRandom(world.clock.now());
    const opened = openRegistry({ log, clock: world.clock, random, ...(topic === undefined ? {} : { topic }) });
    try {
      const server = await serveRegistry(opened, { port, ...(host === undefined ? {} : { host }) });
      tell(server, call.json, world);
      await stopped(world.stop);
      await server.close();
    } finally {
      await opened.close();
      await close();
    }
    return 0;
  },
};

function tell({ url }: RegistryServer, json: boolean, world: World): void {
  world.out(json ? JSON.stringify({ url }) : `schema registry at ${url}; set registry.url to it. Ctrl+C stops it.`);
}
