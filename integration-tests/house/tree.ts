import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STOREYS } from './rules.ts';

/** Sources by path from the root, with forward slashes. */
export type Tree = ReadonlyMap<string, string>;

export interface Fault {
  readonly rule: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

const ROOMS = new Set(STOREYS.flat());
const SOURCE = /\.(ts|mjs|js)$/;

/** The room a file stands in, or `''` outside the rooms. */
export function roomOf(file: string): string {
  const folder = folderOf(file);
  return ROOMS.has(folder) ? folder : '';
}

/** The top-level folder of a file, or `''` at the root. */
export function folderOf(file: string): string {
  const slash = file.indexOf('/');
  return slash < 0 ? '' : file.slice(0, slash);
}

/** Test files, contract suites and their helpers, the folders that only tests use, and what runs the tests. */
export function isTest(file: string): boolean {
  return (
    /\.(test|conformance|fixture)\.ts$/.test(file) ||
    file.startsWith('integration-tests/') ||
    file.startsWith('bench/') ||
    file === 'bin/test.mjs'
  );
}

/** Every source file under the root, without installed and built ones. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  const visit = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.name.startsWith('.') || entry.name === 'node_modules' || entry.name === 'dist') continue;
      if (entry.isDirectory()) visit(path);
      else if (SOURCE.test(entry.name)) tree.set(path, readFileSync(join(root, path), 'utf8'));
    }
  };
  visit('');
  return tree;
}
