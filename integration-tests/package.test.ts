import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pack, usePackage } from './package/use-package.ts';

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('the package, packed and installed, runs a topology, has its types, and starts a project', async () => {
  await usePackage(await pack(folder), process.execPath, join(folder, 'user'));
});
