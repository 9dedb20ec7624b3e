import { existsSync, readFileSync } from 'node:fs';
import type { Command } from '../command.ts';

/** The version of this package: its package.json stands above the sources, or above `dist/`. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    const file = new URL(path, import.meta.url);
    if (!existsSync(file)) continue;
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly name: string;
      readonly version: string;
    };
    if (name === '@nodeflow/engine') return version;
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
