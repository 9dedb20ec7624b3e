import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { freePorts } from '../../../cli/kafka/ports.ts';
import { type NodeName, type Peer, runNode } from './peer.ts';
import { TEMPORAL } from './programs.ts';
import { accepts, type Server, startServer } from './server.ts';

const TASK_QUEUE = 'ten';

/**
 * Temporal's development server, with its database in a file, and its SDK for TypeScript. A node is a local activity,
 * which costs a fifth of what an activity costs; the history of an execution has what each answered.
 */
export function createPeer(): Peer {
  let server: Server;
  let address: string;
  let connection: Connection;
  let native: NativeConnection;
  let client: Client;
  let worker: Worker;
  let working: Promise<void>;
  let next = 0;
  return {
    inFlight: 20,
    async start(folder) {
      const [port, http, metrics] = await freePorts(3);
      const ports = ['--port', String(port), '--http-port', String(http), '--metrics-port', String(metrics)];
      const file = ['--db-filename', join(folder, 'temporal.db')];
      server = await startServer({
        ...{ name: 'temporal', command: TEMPORAL, folder },
        args: ['server', 'start-dev', '--ip', '127.0.0.1', '--headless', '--log-level', 'error', ...ports, ...file],
        // where the program keeps its own configuration
        env: { HOME: folder },
        ready: () => accepts(port!),
      });
      address = `127.0.0.1:${port}`;
    },
    async load() {
      Runtime.install({ logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} } });
      connection = await Connection.connect({ address });
      native = await NativeConnection.connect({ address });
      client = new Client({ connection });
      worker = await Worker.create({
        connection: native,
        taskQueue: TASK_QUEUE,
        workflowsPath: join(import.meta.dirname, 'temporal-graph.ts'),
        activities: { node: async (name: NodeName, ...inputs: number[]) => runNode(name, ...inputs) },
      });
      working = worker.run();
    },
    run: (input) =>
      client.workflow.execute<(input: number) => Promise<number>>('ten', {
        ...{ taskQueue: TASK_QUEUE, workflowId: `ten-${next++}`, args: [input] },
      }),
    async stop() {
      worker.shutdown();
      await working;
      await connection.close();
      await native.close();
      await server.stop();
    },
  };
}
