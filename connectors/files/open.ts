import { type FileHandle, open } from 'node:fs/promises';
import { FlowError, messageOf } from '../../core/errors.ts';

/** Opens a file for reading; `file.missing` or `file.broken` with the path where that is not possible. */
export async function openFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new FlowError('file.missing', `${path}: there is no such file; check the path`);
    }
    throw new FlowError(
      'file.broken',
      `${path}: cannot be opened (${code ?? messageOf(cause)}); check its permissions`,
    );
  }
  const stat = await file.stat();
  if (stat.isFile()) return file;
  await file.close();
  throw new FlowError('file.broken', `${path}: is not a file; name a file`);
}

/** Reads `[start, end)` whole; fails where the file ends before. */
export async function readRange(
  file: FileHandle,
  path: string,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start);
  for (let have = 0; have < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, have, bytes.length - have, start + have);
    if (bytesRead === 0)
      throw new FlowError('file.broken', `${path}: ends before byte ${end}; it may have been cut off: fetch it again`);
    have += bytesRead;
  }
  return bytes;
}
