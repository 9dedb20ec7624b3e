import { once } from 'node:events';
import { type Loop, LoopProgress, type NeighbourJob, type NeighbourName } from './neighbour-loop.ts';

/**
 * Row `pass` as a loop over a client for Node, at least once: what one writes without an engine. Takes and says what
 * `engine-main.ts` does. Messages are sent in lots, and positions committed behind them as often as commits are due.
 */
async function loopOf(client: NeighbourName): Promise<Loop> {
  if (client === '@platformatic/kafka') return (await import('./neighbour-platformatic.ts')).runPlatformatic;
  return (await import('./neighbour-kafkajs.ts')).runKafkaJs;
}

const job = JSON.parse(process.argv[2]!) as NeighbourJob;
const progress = new LoopProgress(job);
const close = await (await loopOf(job.client))(progress);
progress.say('end');
process.stdin.resume();
await once(process.stdin, 'end');
await close();
process.exit(0);
