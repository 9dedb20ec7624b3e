import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { ROWS } from './workflows/rows.ts';

/**
 * Workflows: durable nodes per second, time to the end, and what executions take that wait. Each row in a process of its
 * own, on the file log, or on a cluster; the result of every execution is looked at.
 *
 *     npm run bench:workflows [-- --count 100000 --dormant 100000 --brokers host:port --rows latency,dormant --json]
 */
const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    dormant: { type: 'string', default: '100000' },
    brokers: { type: 'string' },
    rows: { type: 'string' },
    row: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const { brokers } = options;
const given = { count: Number(options.count), dormant: Number(options.dormant), brokers };

if (options.row !== undefined) {
  console.log(JSON.stringify({ row: options.row, ...(await ROWS[options.row]!(given)) }));
} else {
  const usual = Object.keys(ROWS).filter((row) => brokers !== undefined || row !== 'inline-kafka');
  const say = (line: string) => (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  say(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores`);
  for (const row of options.rows?.split(',') ?? usual) {
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
