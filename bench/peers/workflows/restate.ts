import { once } from 'node:events';
import { createServer } from 'node:http2';
import { join } from 'node:path';
import * as restate from '@restatedev/restate-sdk';
import * as clients from '@restatedev/restate-sdk-clients';
import { freePorts } from '../../../cli/kafka/ports.ts';
import { type Peer, runGraph, runNode } from './peer.ts';
import { RESTATE } from './programs.ts';
import { accepts, type Server, startServer } from './server.ts';

const ten = restate.service({
  name: 'ten',
  handlers: {
    run: (context: restate.Context, input: number) =>
      runGraph(
        (name, ...inputs) => context.run(name, () => runNode(name, ...inputs)),
        (nodes) => restate.RestatePromise.all(nodes as restate.RestatePromise<number>[]),
        input,
      ),
  },
});

/**
 * Restate's server with its settings as they are (every entry of a journal is synced to disk before it counts), and its
 * SDK, which here tells of what goes wrong only, and not of each execution. A node is a `ctx.run`, which is one entry of
 * the journal; a call of a handler for each node costs more.
 */
export function createPeer(): Peer {
  let server: Server;
  let ingress: clients.Ingress;
  let admin: number;
  const endpoint = createServer(restate.createEndpointHandler({ services: [ten], logger }));
  return {
    inFlight: 200,
    async start(folder) {
      const [node, entry, admins] = await freePorts(3);
      admin = admins!;
      server = await startServer({
        ...{ name: 'restate', command: RESTATE, args: ['--base-dir', join(folder, 'data')], folder },
        env: {
          RESTATE_LISTEN_MODE: 'tcp',
          RESTATE_BIND_IP: '127.0.0.1',
          RESTATE_BIND_PORT: String(node),
          RESTATE_INGRESS__BIND_PORT: String(entry),
          RESTATE_ADMIN__BIND_PORT: String(admin),
          RESTATE_ADVERTISED_HOST: '127.0.0.1',
          RESTATE_DISABLE_TELEMETRY: 'true',
        },
        ready: async () =>
          (await fetch(`http://127.0.0.1:${admin}/health`)).ok &&
          (await fetch(`http://127.0.0.1:${entry}/restate/health`)).ok,
      });
      ingress = clients.connect({ url: `http://127.0.0.1:${entry}` });
      endpoint.listen(0, '127.0.0.1');
      await once(endpoint, 'listening');
    },
    async load() {
      const { port } = endpoint.address() as { readonly port: number };
      if (!(await accepts(port))) throw new Error('the endpoint takes no connections');
      const answer = await fetch(`http://127.0.0.1:${admin}/deployments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
      });
      if (!answer.ok) throw new Error(`the deployment was refused: ${await answer.text()}`);
    },
    run: (input) => ingress.serviceClient<typeof ten>({ name: 'ten' }).run(input),
    async stop() {
      await server.stop();
      endpoint.close();
    },
  };
}

function logger({ level }: { readonly level: string }, ...words: readonly unknown[]): void {
  if (level === 'error') console.error(...words);
}
