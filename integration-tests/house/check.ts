import { posix } from 'node:path';
import { circleFaults, type Edge } from './circles.ts';
import { importsOf } from './imports.ts';
import {
  ARROWS,
  COMPOSITION_POINTS,
  COMPUTED_IMPORTS,
  FREE_IN_TESTS,
  HOMES,
  MAX_FILE_LINES,
  OPEN_ROOMS,
  SECOND_DOORS,
  STOREYS,
  YARD,
} from './rules.ts';
import { tokens } from './tokens.ts';
import { type Fault, folderOf, isTest, roomOf, type Tree } from './tree.ts';
import { wordFaults } from './words.ts';

/** Everything in the tree that breaks a rule of the house. */
export function checkHouse(tree: Tree): readonly Fault[] {
  const faults: Fault[] = [];
  const edges: Edge[] = [];
  for (const [file, source] of tree) {
    const lines = source.split('\n').length - (source.endsWith('\n') ? 1 : 0);
    if (lines > MAX_FILE_LINES) {
      faults.push({
        rule: 'length',
        file,
        line: lines,
        message: `${lines} lines, at most ${MAX_FILE_LINES}: split it by purpose`,
      });
    }
    const folder = folderOf(file);
    if (folder !== '' && roomOf(file) === '' && !YARD.some((yard) => yard.folder === folder)) {
      faults.push({
        rule: 'room',
        file,
        line: 1,
        message: `${folder}/ is no room of the house: add it to the rules with its storey`,
      });
    }
    const all = tokens(source);
    faults.push(...wordFaults(file, all));
    for (const { specifier, typeOnly, line } of importsOf(all)) {
      const message = (rule: string, words: string) => faults.push({ rule, file, line, message: words });
      if (specifier === undefined) {
        const allowed = isTest(file) || COMPUTED_IMPORTS.some((one) => one.file === file);
        if (!allowed) message('computed import', 'the name of what is imported must stand in the code');
      } else if (specifier.startsWith('.')) {
        const target = posix.normalize(posix.join(posix.dirname(file), specifier));
        edges.push({ from: file, to: target, line, typeOnly });
        const fault = importFault(file, target, tree);
        if (fault !== undefined) message(fault.rule, fault.message);
      } else {
        const fault = packageFault(file, specifier);
        if (fault !== undefined) message('third party', fault);
      }
    }
  }
  faults.push(...circleFaults(edges));
  return faults;
}

function importFault(file: string, target: string, tree: Tree): { rule: string; message: string } | undefined {
  if (!tree.has(target) && /\.(ts|mjs|js)$/.test(target)) return { rule: 'missing', message: `${target} is not there` };
  if (isTest(file)) return undefined;
  if (isTest(target)) return { rule: 'test', message: `${target} is for tests alone` };
  if (COMPOSITION_POINTS.includes(file)) return undefined;
  const from = roomOf(file);
  const to = roomOf(target);
  if (from === '') return yardFault(file, target);
  if (from === to) return undefined;
  if (to === '') return { rule: 'storey', message: `${from} may not import ${target}, which stands outside the rooms` };
  if (!mayImport(from, to))
    return { rule: 'storey', message: `${from} may not import ${to}: imports go down the storeys` };
  const isDoor =
    OPEN_ROOMS.includes(to) || target === `${to}/${to}.ts` || SECOND_DOORS.some((door) => door.file === target);
  return isDoor ? undefined : { rule: 'door', message: `${target} is inside ${to}: import ${to}/${to}.ts` };
}

function yardFault(file: string, target: string): { rule: string; message: string } | undefined {
  const yard = YARD.find((one) => one.folder === folderOf(file));
  if (yard?.may !== 'package root') return undefined;
  if (folderOf(target) === yard.folder || ['index.ts', 'testing.ts', 'workflows.ts'].includes(target)) return undefined;
  return { rule: 'door', message: `${yard.folder}/ uses the package as a user does: import index.ts or testing.ts` };
}

function mayImport(from: string, to: string): boolean {
  const storey = (room: string) => STOREYS.findIndex((rooms) => rooms.includes(room));
  if (storey(to) < storey(from)) return true;
  return ARROWS.some((arrow) => arrow.from === from && arrow.to === to);
}

function packageFault(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('node:') || specifier.startsWith('data:')) return undefined;
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
  if (name === '@nodeflow/engine' && roomOf(file) === '') return undefined;
  const homes = HOMES[name];
  if (homes === undefined) return `${name} has no home: add it to the rules and to docs/dependencies.md`;
  if (homes.some((home) => file.startsWith(home))) return undefined;
  if (isTest(file) && FREE_IN_TESTS.includes(name)) return undefined;
  return `${name} may be imported in ${homes.join(', ')} only`;
}
