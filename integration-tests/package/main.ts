import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchNode, pack, usePackage } from './use-package.ts';

/** Packs the tree and uses the package with the oldest Node it is for, and with this one. */
const OLDEST = '22.22';
const folder = mkdtempSync(join(tmpdir(), 'nodeflow-package-'));
try {
  const archive = await pack(folder);
  const oldest = fetchNode(OLDEST, join(folder, 'oldest-node'));
  for (const node of [oldest, process.execPath]) {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    await usePackage(archive, node, join(folder, version));
    console.log(`the package installs, runs, types and tests with Node ${version}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
