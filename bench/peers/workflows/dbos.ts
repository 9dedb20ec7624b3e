import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { freePorts } from '../../../cli/kafka/ports.ts';
import { type Peer, runGraph, runNode } from './peer.ts';
import { postgresPrograms } from './programs.ts';
import { type Server, startServer } from './server.ts';

/** Nobody: the server refuses to run as root. */
const OTHER_USER = { uid: 65_534, gid: 65_534 };

const ten = DBOS.registerWorkflow(
  (input: number) =>
    runGraph(
      (name, ...inputs) => DBOS.runStep(async () => runNode(name, ...inputs), { name }),
      (nodes) => Promise.all(nodes),
      input,
    ),
  { name: 'ten' },
);

/** DBOS in this process, on a PostgreSQL server with its settings as they are. A node is a step. */
export function createPeer(): Peer {
  let server: Server;
  let url: string;
  return {
    inFlight: 200,
    async start(folder) {
      const programs = postgresPrograms();
      if (programs === undefined) throw new Error('there is no PostgreSQL');
      const home = join(folder, 'postgres');
      mkdirSync(home);
      const user = process.getuid?.() === 0 ? OTHER_USER : undefined;
      if (user !== undefined) chownSync(home, user.uid, user.gid);
      const data = join(home, 'data');
      const [port] = await freePorts(1);
      const init = ['-D', data, '-U', 'bench', '-A', 'trust', '--no-sync', '-E', 'UTF8'];
      const made = spawnSync(join(programs, 'initdb'), init, { cwd: home, encoding: 'utf8', ...user });
      if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
      const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories='].flatMap((each) => ['-c', each]);
      server = await startServer({
        ...{ name: 'postgres', command: join(programs, 'postgres'), folder: home, user, stopSignal: 'SIGQUIT' },
        args: ['-D', data, '-p', String(port), ...settings],
        ready: async () =>
          spawnSync(join(programs, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]).status === 0,
      });
      url = `postgresql://bench@127.0.0.1:${port}/dbos`;
    },
    async load() {
      DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, logLevel: 'error' });
      await DBOS.launch();
    },
    async run(input) {
      const handle = await DBOS.startWorkflow(ten)(input);
      return handle.getResult();
    },
    async stop() {
      await DBOS.shutdown();
      await server.stop();
    },
  };
}
