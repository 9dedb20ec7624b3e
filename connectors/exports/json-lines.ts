import { type FileHandle, open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FlowError, messageOf } from '../../core/errors.ts';
import type { Position } from '../../core/ids.ts';
import type { ExportRow, ExportSource, ExportTarget, ExportWriter } from '../export.ts';

export interface JsonLinesOptions {
  /** Which columns a line has; default: the value alone. */
  readonly columns?: 'value' | 'record';
}

/** What is known of a file that is being written, in a file beside it. */
interface Mark {
  readonly format: 1;
  readonly topic: string;
  /** Bytes of the file that count. */
  readonly bytes: number;
  readonly positions: readonly Position[];
  readonly finished: boolean;
}

/**
 * A file with a line of JSON for each record, exactly once. It grows as `<path>.part` beside `<path>.mark`, which says how
 * many of its bytes count and where in the topic they end; what a crash left behind those is cut off. When the export has
 * ended the file has its name. An unbounded export stays a `.part`.
 */
export function jsonLinesFile(path: string, { columns = 'value' }: JsonLinesOptions = {}): ExportTarget {
  return {
    description: { file: path, format: 'json lines' },
    guarantee: 'exactly-once',
    async open(source) {
      try {
        return await openFile(path, columns, source);
      } catch (thrown) {
        if (thrown instanceof FlowError) throw thrown;
        throw new FlowError('file.broken', `${path} cannot be written: ${messageOf(thrown)}`, { cause: thrown });
      }
    },
  };
}

async function openFile(path: string, columns: 'value' | 'record', { topic }: ExportSource): Promise<ExportWriter> {
  const [part, markPath] = [`${path}.part`, `${path}.mark`];
  const before = await readMark(markPath);
  if (before !== undefined && before.topic !== topic) {
    throw new FlowError(
      'file.broken',
      `${markPath} belongs to an export of ${before.topic}; choose another file, or remove it`,
    );
  }
  if (before?.finished === true) {
    await giveName(part, path);
    return finished(before.positions);
  }
  const file = await open(part, before === undefined ? 'w' : 'r+');
  let bytes = before?.bytes ?? 0;
  await file.truncate(bytes);
  let positions = before?.positions ?? [];
  const mark = async (isFinished: boolean) => {
    await replace(
      markPath,
      JSON.stringify({ format: 1, topic, bytes, positions, finished: isFinished } satisfies Mark),
    );
  };
  return {
    positions,
    async write(rows, next) {
      const text = rows.map((row) => `${JSON.stringify(columns === 'value' ? row.value : lineOf(row))}\n`).join('');
      const chunk = Buffer.from(text);
      // a try that failed half-way is written over
      await writeAll(file, chunk, bytes);
      await file.datasync();
      bytes += chunk.length;
      positions = next;
      await mark(false);
    },
    async finish() {
      await file.truncate(bytes);
      await file.sync();
      await mark(true);
      await giveName(part, path);
    },
    close: () => file.close(),
  };
}

function lineOf({ key, value, timestamp, partition, position }: ExportRow) {
  return { key, value, timestamp, partition, position };
}

/** The file that is whole; unless it has its name already. */
async function giveName(part: string, path: string): Promise<void> {
  try {
    await rename(part, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
  await syncFolder(dirname(path));
}

/** It was exported whole before: there is nothing to add. */
function finished(positions: readonly Position[]): ExportWriter {
  const refuse = async (rows: readonly ExportRow[]) => {
    if (rows.length === 0) return;
    throw new FlowError(
      'file.broken',
      'the file was finished, and more records have come since; export them to another file',
    );
  };
  return { positions, write: refuse, finish: async () => undefined, close: async () => undefined };
}

async function writeAll(file: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten;
  }
}

async function readMark(path: string): Promise<Mark | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  const mark = JSON.parse(text) as Mark;
  if (mark.format === 1) return mark;
  throw new FlowError(
    'file.broken',
    `${path} was written by a newer version; use that one, or remove it to begin anew`,
  );
}

/** Puts a file in the place of another at once: whoever looks finds one of them whole. */
async function replace(path: string, text: string): Promise<void> {
  const next = `${path}.next`;
  await writeFile(next, text, { flush: true });
  await rename(next, path);
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
