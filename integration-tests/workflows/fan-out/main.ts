import { commandOptions } from '../../support/command-options.ts';
import { fanOutTrial } from './trial.ts';

/**
 * A workflow for each of many records, and what the process holds while it runs:
 *
 *     npm run verify:fanout [-- --records 100000 --concurrency 128 --state 8 --json]
 *
 * `state`: megabytes of rows that are held in memory, of those on disk.
 *
 * Exits with 1 where a record had none, or two, where more were open at once than may be, or where the result is wrong.
 */
const values = commandOptions(import.meta.filename, {
  records: { type: 'string', default: '100000' },
  concurrency: { type: 'string', default: '128' },
  state: { type: 'string', default: '8' },
  json: { type: 'boolean', default: false },
});
const report = await fanOutTrial({
  ...{ records: Number(values.records), concurrency: Number(values.concurrency) },
  stateBytes: Number(values.state) * 1024 * 1024,
});
const { records, seconds, held, most, steps, bytes, faults } = report;
const verdict = faults.length === 0 ? 'each has had one execution, and the result is right' : faults.join('\n');
const rows = held.map(({ done, heap, buffers, resident }) => `${done} | ${heap} | ${buffers} | ${resident}`);
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : [
        'done | heap MB | buffers MB | resident MB',
        '--- | --- | --- | ---',
        ...rows,
        '',
        `${records} records in ${seconds} s, ${most} executions open at most, ${steps} step records of the parent of ${bytes} bytes: ${verdict}`,
        '',
      ].join('\n'),
);
if (faults.length > 0) process.exitCode = 1;
