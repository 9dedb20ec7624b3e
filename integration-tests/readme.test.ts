import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const root = new URL('..', import.meta.url);

test('the topology of the README passes its test', async () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
  assert.equal(blocks.length, 2);
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-readme-'));
  const local = (code: string) =>
    code
      .replaceAll("'@nodeflow/engine/testing'", `'${new URL('testing.ts', root).href}'`)
      .replaceAll("'@nodeflow/engine'", `'${new URL('index.ts', root).href}'`);
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'topology.ts'), local(blocks[0]!));
    const assertImport = "import assert from 'node:assert/strict';\n";
    writeFileSync(join(folder, 'run.ts'), `${assertImport}${local(blocks[1]!)}\nconsole.log('passed');\n`);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'run.ts')]);
    assert.equal(stdout, 'passed\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
