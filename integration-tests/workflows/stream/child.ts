import { join } from 'node:path';
import { systemClock } from '../../../core/clock.ts';
import { createFileLog } from '../../../log/file/file.ts';
import { createStateBackend } from '../../../state/state.ts';
import { silentTelemetry } from '../../../telemetry/telemetry.ts';
import { runDocument } from '../../../workflows/segments/host.fixture.ts';
import { passedIn, STREAM } from './job.ts';

/**
 * Runs the stream, and says so: when it begins, or when a commit has let records out, as is wanted. Ends where it is told that
 * what is there is the whole.
 */
const [directory, how] = process.argv.slice(2) as [string, 'begins' | 'moves' | 'ends'];
const log = await createFileLog({ directory: join(directory, 'log'), clock: systemClock });
const end = new AbortController();
if (how === 'ends') end.abort();
const host = {
  ...{ log, state: createStateBackend({}), directory: join(directory, 'state'), clock: systemClock },
  telemetry: silentTelemetry(),
};
const before = await passedIn(log);
const running = runDocument(host, STREAM, { mode: 'streaming', end: end.signal });
if (how === 'moves') while ((await passedIn(log)) === before) await systemClock.sleep(2);
console.log('busy');
await running;
await log.close();
console.log('complete');
