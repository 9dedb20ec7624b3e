import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FlowError } from '../core/errors.ts';
import { loadProgram, type ModuleRef } from '../runtime/runtime.ts';
import type { Program } from '../topology/topology.ts';
import type { Call, Command } from './command.ts';
import { unloadable } from './unloadable.ts';
import type { World } from './world.ts';

/** The option of all commands that read a topology module. */
export const NAME_OPTION: Command['options'] = {
  name: { value: 'export', about: 'The export that holds the topology; default topology.' },
};

/** Where the topology of a call is: `file`, and the export that `--name` says. */
export function moduleOf(file: string, call: Call, world: World): ModuleRef {
  const path = resolve(world.cwd, file);
  if (!existsSync(path)) throw new FlowError('file.missing', `there is no file ${path}; check the path`);
  if (!statSync(path).isFile())
    throw new FlowError('file.missing', `${path} is no file; name the topology module in it`);
  return { url: pathToFileURL(path).href, name: call.option('name') ?? 'topology' };
}

/** Fails with `file.broken` where the module cannot be loaded, and with what `build()` says where it can. */
export async function loadTopology(file: string, call: Call, world: World): Promise<Program> {
  const module = moduleOf(file, call, world);
  try {
    return await loadProgram(module);
  } catch (thrown) {
    throw unloadable(fileURLToPath(module.url), thrown);
  }
}
