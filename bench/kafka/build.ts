import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const BUILT = join(import.meta.dirname, '..', '..', '.nodeflow', 'bench', 'kafka');

/** Where the build puts a program that is measured, by its place in `bench`. */
export function builtProgram(name: 'kafka/engine-main' | 'kafka/neighbour-main' | 'nexmark/kafka-engine'): string {
  return join(BUILT, 'bench', `${name}.js`);
}

/**
 * Writes what is measured as JavaScript, as the published package has it: a process that strips types from sources
 * holds 30 MB for it.
 */
export function buildPrograms(): void {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', join(import.meta.dirname, 'tsconfig.json')], {
    stdio: ['ignore', 2, 2],
  });
}
