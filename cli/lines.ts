import type { Clock } from '../core/clock.ts';
import type { Millis } from '../core/ids.ts';

/** Lines without their ends, as bytes; the last one counts also where nothing ends it. */
export interface LineReader {
  /** Takes each line in turn. */
  line(bytes: Uint8Array, number: number): void | Promise<void>;
  /** Nothing came for a moment: who waits for more need not wait any longer. */
  idle(): void | Promise<void>;
}

const IDLE_MS: Millis = 50;
const NEWLINE = 10;
const RETURN = 13;

/** Reads lines until the input ends or `stop` aborts; whole lines only. */
export async function readLines(
  input: AsyncIterable<Uint8Array>,
  clock: Clock,
  stop: AbortSignal,
  reader: LineReader,
): Promise<void> {
  const chunks = input[Symbol.asyncIterator]();
  const stopped = new Promise<undefined>((resolve) => {
    if (stop.aborted) resolve(undefined);
    stop.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  for (;;) {
    const next = chunks.next();
    const chunk = await orIdle(next, stopped, clock, () => reader.idle());
    if (chunk === undefined) {
      next.catch(() => undefined);
      return;
    }
    if (chunk.done) break;
    const bytes = Buffer.concat([rest, chunk.value]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      await reader.line(withoutReturn(bytes.subarray(start, end)), ++number);
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) await reader.line(withoutReturn(rest), ++number);
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line;
}

/** What comes next; calls `idle` once where that takes a while. `undefined` where it is not waited for any longer. */
async function orIdle<T>(
  next: Promise<T>,
  stopped: Promise<undefined>,
  clock: Clock,
  idle: () => void | Promise<void>,
) {
  const came = new AbortController();
  const first = Promise.race([next, stopped]).finally(() => came.abort());
  first.catch(() => undefined);
  if (await clock.sleep(IDLE_MS, came.signal)) await idle();
  return first;
}
