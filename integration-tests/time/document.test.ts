import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const root = new URL('../..', import.meta.url);

test('the example of docs/time.md does what it says', async () => {
  const markdown = readFileSync(new URL('docs/time.md', root), 'utf8');
  const [, code] = /```ts\n([\s\S]*?)```/.exec(markdown)!;
  const local = code!
    .replaceAll("'@nodeflow/engine/testing'", `'${new URL('testing.ts', root).href}'`)
    .replaceAll("'@nodeflow/engine'", `'${new URL('index.ts', root).href}'`);
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-time-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'example.ts'), `import assert from 'node:assert/strict';\n${local}`);
    await promisify(execFile)(process.execPath, [join(folder, 'example.ts')]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
