import type { Bytes } from '../../core/bytes.ts';

/**
 * What the file log needs of a file system, so that a test can put a simulated disk under it. Errors are
 * Node's own, with `code` (`ENOSPC`, `EIO`, `ENOENT`).
 *
 * Only what a `datasync` of its file has covered survives a loss of power, and a name only once
 * `syncDirectory` of its folder has answered.
 */
export interface Disk {
  /** Makes a folder and its parents; nothing happens where it exists. */
  makeDirectory(path: string): Promise<void>;
  /** The names in a folder, in no order; none where there is no folder. */
  list(path: string): Promise<readonly string[]>;
  /** Opens for reading and writing. With `create` a missing file is made, else it is an error. */
  open(path: string, create: boolean): Promise<DiskFile>;
  /** Replaces what stands at `to`, atomically. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Removes a folder with everything in it. */
  removeDirectory(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Makes this process the only owner of the folder, or fails with `log.locked`. Answers how to give it up. */
  lock(directory: string): Promise<() => Promise<void>>;
}

export interface DiskFile {
  size(): Promise<number>;
  /** Reads up to `length` bytes from `place` into `target` at `at`; answers how many there were. */
  read(target: Bytes, at: number, length: number, place: number): Promise<number>;
  /** Writes all parts one behind the other, beginning at `place`. */
  write(parts: readonly Bytes[], place: number): Promise<void>;
  datasync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}
