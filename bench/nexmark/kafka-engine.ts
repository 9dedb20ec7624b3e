import { once } from 'node:events';
import { openEngine, run } from '../../index.ts';
import { QUERIES } from './queries.ts';

/**
 * Runs a query on Kafka until standard input ends: `kafka-engine <JSON>`. Says a line when it runs; that it has come to
 * the end of its inputs is seen from outside.
 */
export interface EngineJob {
  readonly brokers: string;
  readonly directory: string;
  readonly query: string;
  readonly commitIntervalMs: number;
}

const { brokers, directory, query, commitIntervalMs } = JSON.parse(process.argv[2]!) as EngineJob;
const engine = await openEngine({ brokers, directory });
const program = QUERIES[query]!.program();
const running = await run(program, { engine, settings: { compression: 'lz4', commitIntervalMs, until: 'drained' } });
void running.finished.catch((thrown: unknown) => {
  console.error(thrown);
  process.exit(1);
});
console.log(JSON.stringify({ at: 'mark', records: 0 }));
process.stdin.resume();
await once(process.stdin, 'end');
await running.drain();
await engine.close();
