import { commandOptions } from '../../support/command-options.ts';
import { killStream } from './kill-stream.ts';

/**
 * A streaming run over a million records, killed at random, against a plain count over what went in:
 *
 *     npm run verify:stream [-- --records 1000000 --kills 20 --within 300 --seed 7 --json]
 *
 * Exits with 1 where a record is lost, or there twice, or a sum is wrong.
 */
const values = commandOptions(import.meta.filename, {
  records: { type: 'string', default: '1000000' },
  kills: { type: 'string', default: '20' },
  within: { type: 'string', default: '300' },
  seed: { type: 'string', default: '7' },
  json: { type: 'boolean', default: false },
});
const report = await killStream({
  ...{ records: Number(values.records), kills: Number(values.kills) },
  ...{ withinMs: Number(values.within), seed: Number(values.seed) },
});
const { records, passed, seconds, faults } = report;
const verdict = faults.length === 0 ? 'nothing lost, nothing twice, every sum right' : faults.join('\n');
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : `${records} records, killed ${passed.length} times when ${passed.join(', ')} had passed, ${seconds} s: ${verdict}\n`,
);
if (faults.length > 0) process.exitCode = 1;
