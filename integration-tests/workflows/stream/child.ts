import { join } from 'node:path';
import { systemClock } from '../../../core/clock.ts';
import { createFileLog } from '../../../log/file/file.ts';
import { createStateBackend } from '../../../state/state.ts';
import { silentTelemetry } from '../../../telemetry/telemetry.ts';
import { runDocument } from '../../../workflows/segments/host.fixture.ts';
import { endOfKept, feed, hasPassed, prepare, STREAM } from './job.ts';

/**
 * Runs the stream while its input comes, and says so: when it begins, or when a commit has let records out, as is wanted.
 * Ends where it is told that what has come is the whole.
 */
const [directory, count, how] = process.argv.slice(2) as [string, string, 'begins' | 'moves' | 'ends'];
const log = await createFileLog({ directory: join(directory, 'log'), clock: systemClock });
const end = new AbortController();
const host = {
  ...{ log, state: createStateBackend({}), directory: join(directory, 'state'), clock: systemClock },
  telemetry: silentTelemetry(),
};
await prepare(log);
const before = await endOfKept(log);
const running = runDocument(host, STREAM, { mode: 'streaming', end: end.signal });
const fed = feed(log, Number(count));
if (how === 'moves') while (!(await hasPassed(log, before))) await systemClock.sleep(2);
console.log('busy');
await fed;
if (how === 'ends') end.abort();
await running;
await log.close();
console.log('complete');
