import { FlowError, messageOf } from '../core/errors.ts';
import type { Program } from '../topology/topology.ts';
import type { ModuleRef } from './runtime.ts';

/** Imports a module and builds the topology that it exports under the given name. */
export async function loadProgram(module: ModuleRef): Promise<Program> {
  let exports: { readonly [name: string]: unknown };
  try {
    exports = (await import(module.url)) as typeof exports;
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND' && messageOf(thrown).includes(module.url)) {
      throw new FlowError('file.missing', `there is no file ${module.url}; check the path`, { cause: thrown });
    }
    throw thrown;
  }
  const found = exports[module.name];
  if (isBuildable(found)) return found.build();
  if (isProgram(found)) return found;
  const names = Object.keys(exports).join(', ') || 'nothing';
  throw new FlowError(
    'file.broken',
    `${module.url} exports no topology named ${module.name} (it exports ${names}); write: export const ${module.name} = topology('my-application')`,
  );
}

function isBuildable(value: unknown): value is { build(): Program } {
  return typeof value === 'object' && value !== null && 'build' in value && typeof value.build === 'function';
}

function isProgram(value: unknown): value is Program {
  return typeof value === 'object' && value !== null && 'plan' in value && 'code' in value;
}
