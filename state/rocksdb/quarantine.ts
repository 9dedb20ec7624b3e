import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const KEPT = 3;
const MARK = 'CORRUPT';

/** Leaves a note for the next open: reading found this folder corrupt. */
export function markCorrupt(directory: string, reason: string): void {
  try {
    writeFileSync(join(directory, MARK), reason);
  } catch {
    // a folder that cannot be written is found corrupt again by the next read
  }
}

/** Why an earlier reader found the folder corrupt, or `undefined`. */
export function corruptMark(directory: string): string | undefined {
  const mark = join(directory, MARK);
  return existsSync(mark) ? readFileSync(mark, 'utf8') : undefined;
}

/** Moves the folder to `<directory>.corrupt-<n>`, keeping the newest three of those; answers the new name. */
export function setAside(directory: string): string {
  const parent = dirname(directory);
  const prefix = `${basename(directory)}.corrupt-`;
  const numbers = readdirSync(parent)
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)))
    .filter((number) => Number.isSafeInteger(number))
    .sort((a, b) => a - b);
  const next = (numbers[numbers.length - 1] ?? 0) + 1;
  for (const old of numbers.slice(0, Math.max(0, numbers.length - (KEPT - 1)))) {
    rmSync(join(parent, prefix + old), { recursive: true, force: true });
  }
  const target = join(parent, prefix + next);
  renameSync(directory, target);
  mkdirSync(directory, { recursive: true });
  return target;
}
