import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import type { Command } from '../command.ts';
import { starterFiles } from '../starter.ts';
import { packageVersion } from './version.ts';

export const init: Command = {
  name: 'init',
  parameters: '[folder]',
  about: 'Puts a starter project into an empty or new folder: a topology, its test, package.json.',
  words: { min: 0, max: 1 },
  options: {},
  async run(call, world) {
    const folder = resolve(world.cwd, call.words[0] ?? '.');
    const there = existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
    const files = starterFiles(projectName(folder), packageVersion());
    const inTheWay = there.filter((name) => files.has(name));
    if (inTheWay.length > 0) {
      throw new FlowError('config.invalid', `${folder} has ${inTheWay.join(', ')} already; name another folder`);
    }
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of files) writeFileSync(join(folder, name), content);
    const shown = relative(world.cwd, folder) || '.';
    if (call.json) world.out(JSON.stringify({ folder, files: [...files.keys()] }));
    else for (const line of nextSteps(shown, [...files.keys()])) world.out(line);
    return 0;
  },
};

/** What npm takes as a name. */
function projectName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'my-streams' : name;
}

function nextSteps(folder: string, files: readonly string[]): readonly string[] {
  return [
    `wrote ${files.join(', ')} to ${folder}`,
    'next:',
    ...(folder === '.' ? [] : [`  cd ${folder}`]),
    '  npm install',
    '  npm test',
    '  npm start',
  ];
}
