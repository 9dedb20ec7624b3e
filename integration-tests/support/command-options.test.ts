import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const command = join(import.meta.dirname, '..', 'workflows', 'stream', 'main.ts');
const run = (...words: string[]) => spawnSync(process.execPath, [command, ...words], { encoding: 'utf8' });

test('the help of a command is the comment at its head, with the names of its options', () => {
  const { status, stdout } = run('--help');
  assert.equal(status, 0);
  assert.match(stdout, /^A streaming run over a million records/);
  assert.match(stdout, /^ {4}npm run verify:stream \[-- --records 1000000/m);
  assert.match(stdout, /Options: --records <value>, .*--json$/m);
});

test('what is no option is told, with those that there are', () => {
  const { status, stdout, stderr } = run('--recrods', '5');
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^Unknown option '--recrods'/);
  assert.match(stderr, /Options: --records <value>/);
});
