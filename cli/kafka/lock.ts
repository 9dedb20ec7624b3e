import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../core/clock.ts';

const CHECK_MS = 50;

/** Does one thing at a time among processes that name the same file; that of a process that died is taken over. */
export async function alone<T>(file: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  while (!take(file)) {
    if (isLeft(file)) rmSync(file, { force: true });
    else await clock.sleep(CHECK_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

function isLeft(file: string): boolean {
  let owner: number;
  try {
    owner = Number(readFileSync(file, 'utf8'));
  } catch {
    return false;
  }
  if (owner === 0) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'EPERM';
  }
}
