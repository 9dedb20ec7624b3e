import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { commandOptions } from '../integration-tests/support/command-options.ts';
import { PEERS } from './peers/workflows/install.ts';
import { measureBeside, peersOf } from './workflows/beside.ts';
import { lineOf } from './workflows/beside-report.ts';
import { ROWS } from './workflows/rows.ts';

/**
 * Workflows: durable nodes per second, time to the end, and what executions take that wait. Each row in a process of its
 * own, on the file log, or on a cluster; the result of every execution is looked at.
 *
 *     npm run bench:workflows [-- --count 100000 --dormant 1000000 --brokers host:port --rows latency,dormant --json]
 *
 * With `--peers` it runs the ten-node graph beside other engines instead (Linux only), which it brings when it is first
 * asked to; `--peers` alone is all of them.
 *
 *     npm run bench:workflows -- --peers [restate,bullmq,dbos,temporal,floor] [--pairs 3 --seconds 15 --json]
 */
const options = commandOptions(
  import.meta.filename,
  {
    peers: { type: 'string' },
    pairs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '15' },
    'warm-seconds': { type: 'string', default: '8' },
    'in-flight': { type: 'string' },
    count: { type: 'string', default: '100000' },
    dormant: { type: 'string', default: '1000000' },
    brokers: { type: 'string' },
    rows: { type: 'string' },
    row: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  process.argv
    .slice(2)
    .map((word, i, all) =>
      word === '--peers' && !/^[^-]/.test(all[i + 1] ?? '') ? `--peers=${PEERS.join(',')}` : word,
    ),
);

const { brokers } = options;
const say = (line: string) => (options.json ? process.stderr : process.stdout).write(`${line}\n`);
const given = { count: Number(options.count), dormant: Number(options.dormant), brokers };

if (options.row !== undefined) {
  console.log(JSON.stringify({ row: options.row, ...(await ROWS[options.row]!(given)) }));
} else if (options.peers !== undefined) {
  await runBeside(options.peers);
} else {
  const rows = options.rows?.split(',') ?? Object.keys(ROWS).filter((row) => brokers !== undefined || !isOnKafka(row));
  const why = rows.map(whyNot).find((text) => text !== undefined);
  if (why !== undefined) {
    process.stderr.write(`${why}\n`);
    process.exit(2);
  }
  sayMachine();
  for (const row of rows) {
    const flags = ['--count', options.count, '--dormant', options.dormant, ...(brokers ? ['--brokers', brokers] : [])];
    const text = execFileSync(process.execPath, ['--expose-gc', import.meta.filename, '--row', row, ...flags], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (options.json) process.stdout.write(text);
    const { row: _, ...figures } = JSON.parse(text) as { readonly row: string };
    say(
      `${row.padEnd(18)} ${Object.entries(figures)
        .map(([name, value]) => `${name} ${value}`)
        .join('  ')}`,
    );
  }
}

function sayMachine(): void {
  say(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores`);
}

function isOnKafka(row: string): boolean {
  return row.endsWith('-kafka');
}

/** Why a row cannot be measured. */
function whyNot(row: string): string | undefined {
  if (!Object.hasOwn(ROWS, row)) return `there is no row ${row}: ${Object.keys(ROWS).join(', ')}`;
  if (isOnKafka(row) && brokers === undefined)
    return `the row ${row} needs --brokers host:port; npm run kafka -- up starts some, and says where they listen`;
  return undefined;
}

async function runBeside(peers: string): Promise<void> {
  sayMachine();
  const [seconds, warmSeconds] = [Number(options.seconds), Number(options['warm-seconds'])];
  const inFlight = options['in-flight'] === undefined ? undefined : Number(options['in-flight']);
  const rows = await measureBeside(
    { peers: peersOf(peers), pairs: Number(options.pairs), seconds, warmSeconds, startsPerSecond: 50, inFlight },
    say,
  );
  for (const row of rows) {
    if (options.json) console.log(JSON.stringify(row));
    say(lineOf(row));
  }
}
