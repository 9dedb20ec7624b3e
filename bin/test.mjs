/**
 * Checks the types, then runs every `*.test.ts` of the tree, or those whose path contains one of the arguments:
 *
 *     npm test
 *     npm test -- log/ topology/
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { closeSharedBroker } from '../integration-tests/support/brokers.ts';
import { beginTestRun, endTestRun } from '../integration-tests/support/test-run.ts';
import { filesUnder } from './files.mjs';

const CONCURRENCY = 2;
/** A file that has not ended by then has left something open; it counts as failed. */
const FILE_TIMEOUT_MS = 1_200_000;
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(ROOT);

function checkTypes() {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.json'], { stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code === 0));
  });
}

function runTests(files) {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  const stream = run({ files, concurrency: CONCURRENCY, timeout: FILE_TIMEOUT_MS });
  stream.on('test:summary', (summary) => {
    if (summary.file !== undefined) return;
    counts.passed = summary.counts.passed;
    counts.failed = summary.counts.failed + summary.counts.cancelled;
    counts.skipped = summary.counts.skipped;
    counts.todo = summary.counts.todo;
  });
  stream.on('test:fail', () => {
    process.exitCode = 1;
  });
  return new Promise((resolve) => {
    stream.on('end', () => resolve(counts));
    stream.compose(new spec()).pipe(process.stdout);
  });
}

const wanted = process.argv.slice(2);
const isWanted = (path) =>
  path.endsWith('.test.ts') && (wanted.length === 0 || wanted.some((part) => relative(ROOT, path).includes(part)));
const files = filesUnder(ROOT, isWanted);
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(', ')}`);
  process.exit(1);
}
const typesFit = wanted.length > 0 || (await checkTypes());
const testRun = beginTestRun();
const { passed, failed, skipped, todo } = await runTests(files);
await closeSharedBroker(testRun.folder);
const leftOut = endTestRun(testRun);
const types = wanted.length > 0 ? 'types not checked' : typesFit ? 'types fit' : 'types do not fit';
const rest = skipped + todo > 0 ? `, ${skipped + todo} skipped` : '';
const isGood = typesFit && failed === 0 && process.exitCode !== 1;
process.exitCode = isGood ? 0 : 1;
// behind what the reporter still has to write
process.on('exit', () => {
  for (const { file, reason } of leftOut) console.log(`left out of ${file}: ${reason}`);
  console.log(`${files.length} files: ${passed} tests passed, ${failed} failed${rest}; ${types}`);
});
