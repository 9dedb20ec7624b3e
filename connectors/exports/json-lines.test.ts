import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { FlowError } from '../../core/errors.ts';
import { type ExportTarget, jsonLinesFile, runExport } from '../export.ts';
import { orderLog, orders } from './orders.fixture.ts';

async function inFolder(body: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-export-'));
  try {
    await body(join(folder, 'out.jsonl'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('a topic becomes a file with a line for each record, under its name when it is whole', () =>
  inFolder(async (path) => {
    const { log, put } = await orderLog();
    await put(0, 1, 2);
    await put(1, 3);
    const options = { log, clock: systemClock, topic: orders, target: jsonLinesFile(path), until: 'end' } as const;
    assert.deepEqual(await runExport(options), { records: 3, how: 'complete' });
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    assert.deepEqual(lines.toSorted(), [1, 2, 3]);
    assert.ok(!existsSync(`${path}.part`));
    assert.deepEqual(await runExport(options), { records: 0, how: 'complete' }, 'once more adds nothing');
    await put(0, 4);
    await assert.rejects(runExport(options), { code: 'file.broken', message: /more records have come since/ });
  }));

test('what was compressed is exported as it was before', () =>
  inFolder(async (path) => {
    const { log, put } = await orderLog('zstd');
    const ids = Array.from({ length: 40 }, (_, i) => i);
    await put(0, ...ids);
    const options = { log, clock: systemClock, topic: orders, target: jsonLinesFile(path), until: 'end' } as const;
    assert.deepEqual(await runExport(options), { records: 40, how: 'complete' });
    const rows = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      rows,
      ids.map((id) => ({ id, total: id * 10 })),
    );
  }));

test('wherever it is cut off, going on gives each record once', () =>
  inFolder(async (path) => {
    const { log, put } = await orderLog();
    for (let i = 0; i < 20; i++) await put(i % 2, 2 * i, 2 * i + 1);
    for (let cut = 0; ; cut++) {
      const target = failsAfter(jsonLinesFile(path, { columns: 'record' }), cut);
      const done = await runExport({ log, clock: systemClock, topic: orders, target, until: 'end' }).catch(
        () => undefined,
      );
      if (done !== undefined) break;
      // what a crash may leave behind the mark
      appendFileSync(`${path}.part`, '{"half a');
    }
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ value }) => value.id).toSorted((a, b) => a - b),
      Array.from({ length: 40 }, (_, i) => i),
    );
    for (const partition of [0, 1]) {
      const positions = lines.filter((line) => line.partition === partition).map(({ position }) => position);
      assert.deepEqual(
        positions,
        positions.toSorted((a, b) => a - b),
      );
    }
  }));

test('cut off while it finishes, it finishes the next time', () =>
  inFolder(async (path) => {
    const { log, put } = await orderLog();
    const stop = new AbortController();
    const options = { log, clock: systemClock, topic: orders, target: jsonLinesFile(path) };
    await put(0, 1);
    await runExport({ ...options, stop: stop.signal, onProgress: () => stop.abort() });
    // neither the mark nor the file can be put in its place
    for (const obstacle of [`${path}.mark.next`, path]) {
      mkdirSync(obstacle);
      await assert.rejects(runExport({ ...options, until: 'end' }));
      rmSync(obstacle, { recursive: true });
    }
    assert.deepEqual(await runExport({ ...options, until: 'end' }), { records: 0, how: 'complete' });
    assert.equal(readFileSync(path, 'utf8'), '{"id":1,"total":10}\n');
    assert.ok(!existsSync(`${path}.part`));
  }));

test('an export that goes on is stopped, and its part is there to go on with', () =>
  inFolder(async (path) => {
    const { log, put } = await orderLog();
    await put(0, 1);
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    const options = { log, clock: systemClock, topic: orders, target: jsonLinesFile(path) };
    assert.deepEqual(await runExport({ ...options, stop: stop.signal, onProgress }), { records: 1, how: 'stopped' });
    await put(1, 2);
    assert.deepEqual(await runExport({ ...options, until: 'end' }), { records: 1, how: 'complete' });
    assert.equal(readFileSync(path, 'utf8').split('\n').length, 3);
  }));

test('a file of another export, of a newer version or without a folder is refused', () =>
  inFolder(async (path) => {
    const { log } = await orderLog();
    const run = (target: ExportTarget) => runExport({ log, clock: systemClock, topic: orders, target, until: 'end' });
    writeFileSync(
      `${path}.mark`,
      JSON.stringify({ format: 1, topic: 'others', bytes: 0, positions: [], finished: false }),
    );
    await assert.rejects(run(jsonLinesFile(path)), {
      code: 'file.broken',
      message: /an export of others; choose another file/,
    });
    writeFileSync(`${path}.mark`, JSON.stringify({ format: 2 }));
    await assert.rejects(run(jsonLinesFile(path)), { code: 'file.broken', message: /newer version/ });
    await assert.rejects(run(jsonLinesFile(join(path, 'no', 'where'))), {
      code: 'file.broken',
      message: /cannot be written/,
    });
  }));

/** Takes so many batches and then fails for good, as a process that is killed does. */
function failsAfter(target: ExportTarget, batches: number): ExportTarget {
  return {
    ...target,
    async open(source) {
      const writer = await target.open(source);
      let left = batches;
      return {
        ...writer,
        write: async (rows, next) => {
          if (left-- > 0) return writer.write(rows, next);
          throw new FlowError('export.refused', 'cut');
        },
      };
    },
  };
}
