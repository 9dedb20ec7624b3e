import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FlowProducer, type Job, Queue, QueueEvents, Worker } from 'bullmq';
import { freePorts } from '../../../cli/kafka/ports.ts';
import { type NodeName, type Peer, runNode, Waiting } from './peer.ts';
import { redisServer } from './programs.ts';
import { accepts, type Server, startServer } from './server.ts';

/** Nodes, and the last of each graph, whose ends the client listens to. */
const NODES_QUEUE = 'nodes';
const ENDS_QUEUE = 'ends';
const CONCURRENCY = 100;
const REMOVED = { removeOnComplete: true };

interface Data {
  readonly execution: string;
  /** What arrives, unless it is what the job's children answered. */
  readonly input?: number;
}

/**
 * BullMQ on Redis that appends each command to its file and syncs it before it answers. A node is a job. A flow is a
 * tree whose parent runs behind its children, so that the graph takes three: `a`, which adds `c` over `b1` to `b4`,
 * which adds `e` over `d1` to `d3`. Nothing is kept of a step but the job and what it answered; jobs that are done are
 * removed, which takes less than keeping them.
 */
export function createPeer(): Peer {
  let server: Server;
  let connection: { readonly host: string; readonly port: number };
  let flows: FlowProducer;
  let queue: Queue<Data>;
  let ends: QueueEvents;
  const workers: Worker<Data, number>[] = [];
  const waiting = new Waiting();
  let next = 0;

  const addJoin = (
    execution: string,
    parent: NodeName,
    queueName: string,
    children: readonly NodeName[],
    input: number,
  ) =>
    flows.add({
      ...{ name: parent, queueName, data: { execution }, opts: { jobId: `${parent}-${execution}`, ...REMOVED } },
      children: children.map((name) => ({
        ...{
          name,
          queueName: NODES_QUEUE,
          data: { execution, input },
          opts: { jobId: `${name}-${execution}`, ...REMOVED },
        },
      })),
    });
  const process = async (job: Job<Data, number>): Promise<number> => {
    const { execution, input } = job.data;
    const name = job.name as NodeName;
    const inputs = input === undefined ? Object.values(await job.getChildrenValues<number>()) : [input];
    const result = runNode(name, ...inputs);
    if (name === 'a') await addJoin(execution, 'c', NODES_QUEUE, ['b1', 'b2', 'b3', 'b4'], result);
    if (name === 'c') await addJoin(execution, 'e', ENDS_QUEUE, ['d1', 'd2', 'd3'], result);
    return result;
  };

  return {
    inFlight: 2000,
    async start(folder) {
      const [port] = await freePorts(1);
      const data = join(folder, 'data');
      mkdirSync(data);
      const settings = ['--bind', '127.0.0.1', '--port', String(port), '--dir', data];
      const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
      server = await startServer({
        ...{ name: 'redis', command: redisServer()!, args: [...settings, ...durable], folder },
        ready: () => accepts(port!),
      });
      connection = { host: '127.0.0.1', port: port! };
    },
    async load() {
      flows = new FlowProducer({ connection });
      queue = new Queue(NODES_QUEUE, { connection });
      ends = new QueueEvents(ENDS_QUEUE, { connection });
      ends.on('completed', ({ jobId, returnvalue }) => {
        waiting.resolve(jobId, Number(returnvalue));
      });
      ends.on('failed', ({ jobId, failedReason }) => {
        waiting.reject(jobId, new Error(failedReason));
      });
      for (const name of [NODES_QUEUE, ENDS_QUEUE]) {
        workers.push(new Worker<Data, number>(name, process, { connection, concurrency: CONCURRENCY }));
      }
      await Promise.all([ends.waitUntilReady(), queue.waitUntilReady(), ...workers.map((w) => w.waitUntilReady())]);
    },
    run(input) {
      const execution = String(next++);
      const first = { jobId: `a-${execution}`, ...REMOVED };
      return waiting.result(`e-${execution}`, () => queue.add('a', { execution, input }, first));
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.close(true)));
      await Promise.all([flows.close(), queue.close(), ends.close()]);
      await server.stop();
    },
  };
}
