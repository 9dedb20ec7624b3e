import type { Bytes } from '../../core/bytes.ts';
import { type Random, randomInt } from '../../core/random.ts';
import type { Disk, DiskFile } from './disk.ts';

type Change =
  | { readonly kind: 'write'; readonly place: number; readonly bytes: Bytes }
  | { readonly kind: 'truncate'; readonly size: number };

interface Inode {
  /** What programs see. */
  seen: Bytes;
  /** What survives a loss of power for certain. */
  stored: Bytes;
  /** Since the last sync, in order. */
  changes: Change[];
}

/** A change of names in one folder, not yet synced. */
interface NameChange {
  readonly folder: string;
  undo(): void;
}

const SECTOR_BYTES = 512;

/**
 * A disk in memory that can lose its power. A file's unsynced writes then survive as a random subset of their
 * sectors, names that were not synced as a prefix. Faults on demand: `full` refuses writes, `failAfter` counts down.
 */
export class SimulatedDisk {
  readonly #random: Random;
  #files = new Map<string, Inode>();
  #folders = new Set<string>(['/']);
  #names: NameChange[] = [];
  #epoch = 0;
  /** Every write fails with this code while set. */
  full: 'ENOSPC' | 'EIO' | undefined;
  /** Syncs fail while set. */
  failSync = false;
  /** What happened, so that a test can show that it was not empty. */
  readonly counts = { crashes: 0, lostSectors: 0, lostNames: 0, refused: 0, syncs: 0 };

  constructor(random: Random) {
    this.#random = random;
  }

  /** The disk as one process sees it: after the next loss of power that process does nothing more. */
  mount(): Disk {
    const epoch = this.#epoch;
    const alive = async <T>(work: () => Promise<T>): Promise<T> => {
      await Promise.resolve();
      if (epoch !== this.#epoch) throw fault('EIO', 'the power was lost');
      return await work();
    };
    return {
      makeDirectory: (path) => alive(() => this.#makeDirectory(path)),
      list: (path) => alive(() => this.#list(path)),
      open: (path, create) => alive(() => this.#open(path, create)),
      rename: (from, to) => alive(() => this.#rename(from, to)),
      unlink: (path) => alive(() => this.#unlink(path)),
      removeDirectory: (path) => alive(() => this.#removeDirectory(path)),
      syncDirectory: (path) => alive(() => this.#syncDirectory(path)),
      lock: async () => async () => undefined,
    };
  }

  /** Loses the power: whoever has files open gets errors from now on. */
  crash(): void {
    this.#epoch++;
    this.counts.crashes++;
    const keep = randomInt(this.#random, this.#names.length + 1);
    for (let i = this.#names.length - 1; i >= keep; i--) {
      this.#names[i]!.undo();
      this.counts.lostNames++;
    }
    this.#names = [];
    for (const inode of this.#files.values()) this.#tear(inode);
  }

  #tear(inode: Inode): void {
    let bytes = inode.stored;
    for (const change of inode.changes) {
      if (change.kind === 'truncate') {
        if (this.#random.next() < 0.5) bytes = resized(bytes, change.size);
        continue;
      }
      for (let at = 0; at < change.bytes.length; at += SECTOR_BYTES) {
        if (this.#random.next() < 0.3) {
          this.counts.lostSectors++;
          continue;
        }
        const part = change.bytes.subarray(at, at + SECTOR_BYTES);
        if (bytes.length < change.place + at + part.length) bytes = resized(bytes, change.place + at + part.length);
        else bytes = Buffer.from(bytes);
        part.copy(bytes, change.place + at);
      }
    }
    inode.stored = bytes;
    inode.seen = bytes;
    inode.changes = [];
  }

  async #makeDirectory(path: string): Promise<void> {
    const parts = path.split('/').filter((part) => part !== '');
    for (let i = 1; i <= parts.length; i++) this.#folders.add(`/${parts.slice(0, i).join('/')}`);
  }

  async #list(path: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const each of [...this.#files.keys(), ...this.#folders]) {
      if (each.startsWith(`${path}/`)) names.add(each.slice(path.length + 1).split('/')[0]!);
    }
    return [...names];
  }

  async #open(path: string, create: boolean): Promise<DiskFile> {
    let inode = this.#files.get(path);
    if (inode === undefined) {
      if (!create) throw fault('ENOENT', path);
      this.#refuse(path);
      const made: Inode = { seen: Buffer.alloc(0), stored: Buffer.alloc(0), changes: [] };
      inode = made;
      this.#files.set(path, made);
      this.#names.push({ folder: folderOf(path), undo: () => this.#forget(made) });
    }
    return this.#handle(inode, path);
  }

  #forget(inode: Inode): void {
    for (const [path, other] of this.#files) if (other === inode) this.#files.delete(path);
  }

  #refuse(path: string): void {
    if (this.full === undefined) return;
    this.counts.refused++;
    throw fault(this.full, path);
  }

  #handle(inode: Inode, path: string): DiskFile {
    const epoch = this.#epoch;
    const alive = () => {
      if (epoch !== this.#epoch) throw fault('EIO', `${path}: the power was lost`);
    };
    return {
      size: async () => inode.seen.length,
      read: async (target, at, length, place) => {
        await undefined;
        alive();
        return inode.seen.copy(target, at, place, Math.min(place + length, inode.seen.length));
      },
      write: async (parts, place) => {
        await undefined;
        alive();
        const bytes = Buffer.concat(parts);
        const taken = this.full === undefined ? bytes : bytes.subarray(0, bytes.length >> 1);
        if (inode.seen.length < place + taken.length) inode.seen = resized(inode.seen, place + taken.length);
        else inode.seen = Buffer.from(inode.seen);
        taken.copy(inode.seen, place);
        inode.changes.push({ kind: 'write', place, bytes: taken });
        this.#refuse(path);
      },
      datasync: async () => {
        await undefined;
        alive();
        this.counts.syncs++;
        if (this.failSync) throw fault('EIO', path);
        inode.stored = inode.seen;
        inode.changes = [];
      },
      truncate: async (size) => {
        await undefined;
        alive();
        inode.seen = resized(inode.seen, size);
        inode.changes.push({ kind: 'truncate', size });
      },
      close: async () => undefined,
    };
  }

  async #rename(from: string, to: string): Promise<void> {
    const moved = [...this.#files.keys()].filter((path) => path === from || path.startsWith(`${from}/`));
    const folders = [...this.#folders].filter((path) => path === from || path.startsWith(`${from}/`));
    if (moved.length + folders.length === 0) throw fault('ENOENT', from);
    const before = new Map(this.#files);
    const foldersBefore = new Set(this.#folders);
    for (const path of moved) {
      this.#files.set(to + path.slice(from.length), this.#files.get(path)!);
      this.#files.delete(path);
    }
    for (const path of folders) {
      this.#folders.add(to + path.slice(from.length));
      this.#folders.delete(path);
    }
    this.#changed(to, before, foldersBefore);
  }

  async #unlink(path: string): Promise<void> {
    if (!this.#files.has(path)) throw fault('ENOENT', path);
    const before = new Map(this.#files);
    this.#files.delete(path);
    this.#changed(path, before, new Set(this.#folders));
  }

  async #removeDirectory(path: string): Promise<void> {
    for (const each of [...this.#files.keys()]) if (each.startsWith(`${path}/`)) this.#files.delete(each);
    for (const each of [...this.#folders]) if (each === path || each.startsWith(`${path}/`)) this.#folders.delete(each);
    this.#names = this.#names.filter(({ folder }) => folder !== path && !folder.startsWith(`${path}/`));
  }

  #changed(path: string, files: Map<string, Inode>, folders: Set<string>): void {
    this.#names.push({
      folder: folderOf(path),
      undo: () => {
        this.#files = files;
        this.#folders = folders;
      },
    });
  }

  /** Names are journalled in order: one folder's sync settles all that came before. */
  async #syncDirectory(path: string): Promise<void> {
    if (this.failSync) throw fault('EIO', path);
    let last = -1;
    this.#names.forEach((change, i) => {
      if (change.folder === path) last = i;
    });
    this.#names.splice(0, last + 1);
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function resized(bytes: Bytes, size: number): Bytes {
  const next = Buffer.alloc(size);
  bytes.copy(next, 0, 0, Math.min(size, bytes.length));
  return next;
}

function fault(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
