import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../cli/kafka/machine.ts';

/** A machine without Java, on which brokers cannot be started. */
const path = mkdtempSync(join(tmpdir(), 'nodeflow-no-java-'));
after(() => rmSync(path, { recursive: true, force: true }));
const runner = fileURLToPath(new URL('../bin/test.mjs', import.meta.url));

async function runHere(more: { readonly [name: string]: string }) {
  const dropped = ['CI', 'JAVA_HOME', 'NODE_TEST_CONTEXT', 'NODEFLOW_TEST_FOLDER', 'NODEFLOW_TEST_BROKERS'];
  const kept = Object.entries(process.env).filter(([name]) => !dropped.includes(name));
  const env = { ...Object.fromEntries(kept), PATH: path, ...more };
  return (await runProgram(process.execPath, [runner, 'integration-tests/registry-kafka'], env))!;
}

test('tests that need brokers are listed with the reason where there can be none, and that is no failure', async () => {
  const { code, said } = await runHere({});
  assert.equal(code, 0, said);
  assert.match(
    said,
    /^left out of integration-tests\/registry-kafka\.test\.ts: there is no java on the path; install/m,
  );
  assert.match(said, /^1 files: \d+ tests passed, 0 failed/m);
});

test('where all tests must run, it is one', async () => {
  const { code, said } = await runHere({ CI: 'true' });
  assert.equal(code, 1, said);
  assert.match(said, /tests cannot run here, and with CI=true all must: there is no java/);
});
