import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isFlowError } from '../../core/errors.ts';
import { loadLibrary } from './library.ts';

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-confluent-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('where the library is not installed, or not built, the message says how to have it', () => {
  const says = (words: RegExp) => (thrown: Error) =>
    isFlowError(thrown, 'log.unsupported') && words.test(thrown.message);
  const beside = join(folder, 'beside.js');
  assert.throws(() => loadLibrary(beside), says(/npm install @confluentinc.*CKJS_LINKING=dynamic/));
  const home = join(folder, 'node_modules', '@confluentinc', 'kafka-javascript');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'index.js'), "throw new Error('Could not locate the bindings file. Tried: ...')");
  assert.throws(() => loadLibrary(beside), says(/without its binary.*npm rebuild @confluentinc/));
});
