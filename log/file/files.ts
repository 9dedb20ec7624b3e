import { join } from 'node:path';
import type { Bytes } from '../../core/bytes.ts';
import type { Disk, DiskFile } from './disk.ts';

/** All bytes of a file, or `undefined` where there is none. */
export async function readWhole(disk: Disk, path: string): Promise<Bytes | undefined> {
  let file: DiskFile;
  try {
    file = await disk.open(path, false);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  try {
    const bytes = Buffer.allocUnsafeSlow(await file.size());
    const count = await file.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, count);
  } finally {
    await file.close();
  }
}

/** Puts a whole new file in place of an old one, durably: a reader sees either. */
export async function replaceFile(disk: Disk, directory: string, name: string, bytes: Bytes): Promise<void> {
  const path = join(directory, name);
  const file = await disk.open(`${path}.new`, true);
  try {
    await file.truncate(0);
    await file.write([bytes], 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await disk.rename(`${path}.new`, path);
  await disk.syncDirectory(directory);
}
