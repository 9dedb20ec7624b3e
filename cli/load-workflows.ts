import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FlowError } from '../core/errors.ts';
import type { LanguageOptions } from '../workflows/workflows.ts';
import { readJsonFile } from './read-json-file.ts';
import { unloadable } from './unloadable.ts';

/** What a module gives to the workflows that are served: `export const workflows: ServedWorkflows = { ... }`. */
export interface ServedWorkflows extends LanguageOptions {
  /** Published when the process starts; those that are there already stay as they are. */
  readonly documents?: readonly unknown[];
  /** Lines that `serve` prints for whoever wants to try them. */
  readonly hints?: readonly string[];
}

/** A module that exports `workflows`, or a document as JSON. Throws `file.missing` and `file.broken`. */
export async function loadWorkflows(file: string, cwd: string): Promise<ServedWorkflows> {
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw new FlowError('file.missing', `there is no file ${path}; check the path`);
  if (extname(path) === '.json') return { documents: [readJsonFile(path)] };
  const exports = await importOf(path);
  const { workflows } = exports;
  if (typeof workflows === 'object' && workflows !== null) return workflows as ServedWorkflows;
  throw new FlowError(
    'file.broken',
    `${path} exports no workflows (it exports ${Object.keys(exports).join(', ') || 'nothing'}); ` +
      'write: export const workflows = { functions, tasks, documents }',
  );
}

async function importOf(path: string): Promise<{ readonly workflows?: unknown }> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (thrown) {
    throw unloadable(path, thrown);
  }
}
