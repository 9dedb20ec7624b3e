import { join } from 'node:path';
import { lend, recycle } from '../../core/buffer-pool.ts';
import type { Bytes } from '../../core/bytes.ts';
import type { Position, TopicPartition } from '../../core/ids.ts';
import { BATCH_HEADER_BYTES, batchLength, checkBatch } from '../batch.ts';
import { basePosition, corrupt, lastPosition, maxTimestamp } from '../batch-header.ts';
import type { Disk, DiskFile } from './disk.ts';
import { readWhole } from './files.ts';
import { SegmentIndex } from './segment-index.ts';

const CHUNK_BYTES = 1 << 20;

export function segmentName(base: Position): string {
  return `${String(base).padStart(20, '0')}.log`;
}

/** The base position in a segment's name, or `undefined` for another file. */
export function segmentBase(name: string): Position | undefined {
  return /^\d{20}\.log$/.test(name) ? Number(name.slice(0, 20)) : undefined;
}

/** One file of a partition: whole batches in order of position. Its name is the position it may begin with. */
export class Segment {
  readonly base: Position;
  path: string;
  /** Bytes that are written and may be read. */
  size = 0;
  /** Bytes that survive a loss of power. */
  synced = 0;
  /** Bytes that the stored index covers. */
  indexSaved = 0;
  /** Takes no more batches. */
  sealed = false;
  /** Removed or replaced: a remembered place in it means nothing. */
  dead = false;
  index: SegmentIndex;
  readonly #disk: Disk;
  #file: Promise<DiskFile> | undefined;
  #users = 0;
  #closing = false;

  constructor(disk: Disk, directory: string, base: Position, suffix = '') {
    this.#disk = disk;
    this.base = base;
    this.path = join(directory, segmentName(base) + suffix);
    this.index = new SegmentIndex(base);
  }

  /** Gives the file its real name, in place of what stood there. */
  async rename(disk: Disk, path: string): Promise<void> {
    await this.closeIdle();
    await disk.rename(this.path, path);
    this.path = path;
  }

  get indexPath(): string {
    return this.path.replace(/\.log$/, '.index');
  }

  /** Runs `work` on the open file, which is not closed meanwhile. */
  async use<T>(work: (file: DiskFile) => Promise<T>, create = false): Promise<T> {
    this.#users++;
    try {
      this.#file ??= this.#disk.open(this.path, create);
      const opening = this.#file;
      let file: DiskFile;
      try {
        file = await opening;
      } catch (thrown) {
        if (this.#file === opening) this.#file = undefined;
        throw thrown;
      }
      return await work(file);
    } finally {
      this.#users--;
      if (this.#closing) await this.closeIdle();
    }
  }

  /** Closes the file unless somebody uses it; it is opened again when needed. */
  async closeIdle(): Promise<void> {
    if (this.#users > 0 || this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    await (await file).close();
  }

  /** Ends the segment's use: the file is closed when its last reader is done. */
  async kill(): Promise<void> {
    this.dead = true;
    this.#closing = true;
    await this.closeIdle();
  }

  async write(parts: readonly Bytes[], length: number): Promise<void> {
    await this.use((file) => file.write(parts, this.size), true);
    this.size += length;
  }

  async sync(): Promise<void> {
    const size = this.size;
    if (size === this.synced) return;
    await this.use((file) => file.datasync(), true);
    this.synced = Math.max(this.synced, size);
  }

  async saveIndex(): Promise<void> {
    const bytes = this.index.encode();
    const file = await this.#disk.open(this.indexPath, true);
    try {
      await file.write([bytes], 0);
      await file.truncate(bytes.length);
    } finally {
      await file.close();
    }
  }

  /** Reads the stored index; one that does not fit the first `size` bytes is removed, and the answer is true. */
  async loadIndex(size: number): Promise<boolean> {
    const bytes = await readWhole(this.#disk, this.indexPath);
    if (bytes === undefined) return false;
    const index = SegmentIndex.decode(this.base, bytes);
    if (index !== undefined && index.covered <= size) {
      this.index = index;
      this.indexSaved = index.covered;
      return false;
    }
    await this.#disk.unlink(this.indexPath);
    return true;
  }

  /**
   * Walks over the batches from `place`, telling each to `visit`; answers the place behind the last whole one.
   * Stops at what is no batch; with `where` it fails there instead, naming it. The bytes are lent to `visit` until it
   * answers.
   */
  async scan(place: number, end: number, visit: Visit, where?: TopicPartition): Promise<number> {
    let buffer = lend(Math.min(CHUNK_BYTES, Math.max(end - place, BATCH_HEADER_BYTES)));
    const known = where ?? { topic: '', partition: 0 };
    const walk = async (file: DiskFile) => {
      for (;;) {
        const got = await file.read(buffer, 0, Math.min(buffer.length, end - place), place);
        let at = 0;
        while (at + BATCH_HEADER_BYTES <= got) {
          const length = batchLength(buffer, at);
          if (length < BATCH_HEADER_BYTES || length > end - place - at) return stop(place + at);
          if (at + length > got) break;
          try {
            checkBatch(buffer, at, at + length, known);
          } catch (thrown) {
            if (where !== undefined) throw thrown;
            return place + at;
          }
          if (!(await visit(buffer, at, length, place + at))) return place + at;
          at += length;
        }
        if (at === 0) {
          const length = got < BATCH_HEADER_BYTES ? 0 : batchLength(buffer, 0);
          if (length <= buffer.length) return stop(place);
          recycle(buffer);
          buffer = lend(length);
        }
        place += at;
        if (place === end) return place;
      }
    };
    try {
      return await this.use(walk);
    } finally {
      recycle(buffer);
    }

    function stop(at: number): number {
      if (at < end && where !== undefined) throw corrupt(where, -1, `no batch begins at byte ${at} of its segment`);
      return at;
    }
  }

  /** Extends the index over the batches behind what it covers. */
  async extendIndex(end: number, where?: TopicPartition): Promise<void> {
    const visit: Visit = (bytes, at, length) => {
      this.indexBatch(bytes, at, length);
      return true;
    };
    this.size = await this.scan(this.index.covered, end, visit, where);
  }

  indexBatch(bytes: Bytes, at: number, length: number): void {
    this.index.add(basePosition(bytes, at), lastPosition(bytes, at), length, maxTimestamp(bytes, at));
  }
}

/** Answers false to stop before this batch. */
type Visit = (bytes: Bytes, at: number, length: number, place: number) => boolean | Promise<boolean>;
