import { createRequire } from 'node:module';
import type { Command } from '../command.ts';

/** The version of this package: its package.json stands above the sources, or above `dist/`. */
export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = require(path) as { readonly name: string; readonly version: string };
      if (name === '@nodeflow/engine') return version;
    } catch {}
  }
  return 'unknown';
}

export const version: Command = {
  name: 'version',
  parameters: '',
  about: 'Prints the version.',
  words: { min: 0, max: 0 },
  options: {},
  async run(call, world) {
    const version = packageVersion();
    world.out(call.json ? JSON.stringify({ version, node: process.versions.node }) : version);
    return 0;
  },
};
