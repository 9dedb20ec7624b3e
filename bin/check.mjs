/** Types, format and lint, and the lock file: everything that is judged without running the product. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const require = createRequire(import.meta.url);

function runs(name, binary, args) {
  const path = join(dirname(require.resolve(`${name}/package.json`)), 'bin', binary);
  return spawnSync(process.execPath, [path, ...args], { stdio: 'inherit' }).status === 0;
}

/** The lock file must hold for every mirror of the registry: no addresses in it, a checksum for each package. */
function lockIsPortable() {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const faults = Object.entries(packages).flatMap(([path, entry]) => {
    if (path === '') return [];
    if (entry.resolved !== undefined) return [`${path} names an address`];
    return entry.integrity === undefined ? [`${path} has no checksum`] : [];
  });
  for (const fault of faults) console.error(`package-lock.json: ${fault}`);
  return faults.length === 0;
}

const results = {
  types: runs('typescript', 'tsc', ['-p', 'tsconfig.json']),
  lint: runs('@biomejs/biome', 'biome', ['ci', '--error-on-warnings', '.']),
  lock: lockIsPortable(),
};
const failed = Object.keys(results).filter((name) => !results[name]);
console.log(failed.length === 0 ? 'types, lint and lock file are in order' : `not in order: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
