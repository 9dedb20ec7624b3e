import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CHILD = fileURLToPath(new URL('./large-child.fixture.ts', import.meta.url));
const BYTES = Number(process.env['NODEFLOW_LARGE_BYTES'] ?? 300 << 20);

test('a transaction larger than the heap commits', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'nodeflow-large-'));
  try {
    const args = ['--max-old-space-size=256', CHILD, join(directory, 'log'), String(BYTES)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    t.diagnostic(stdout);
    const told = JSON.parse(stdout) as { records: number; read: number; stableBefore: number; peakRssBytes: number };
    assert.equal(told.read, told.records);
    assert.equal(told.stableBefore, 0, 'nothing was visible before the commit');
    assert.ok(told.peakRssBytes < 256 << 20, `peak memory was ${told.peakRssBytes >> 20} MiB`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
