import { createRequire } from 'node:module';
import { messageOf } from '../../core/errors.ts';

/** The part of `rocksdb-native` that is used here; the package has no types of its own. */
export interface Database {
  ready(): Promise<void>;
  close(options?: { readonly force?: boolean }): Promise<void>;
  read(options?: { readonly capacity?: number }): ReadBatch;
  write(options?: { readonly capacity?: number }): WriteBatch;
  iterator(range: Range, options?: IteratorOptions): AsyncIterable<{ readonly key: Buffer; readonly value: Buffer }>;
}

export interface Range {
  readonly gte?: Buffer;
  readonly lt?: Buffer;
}

export interface IteratorOptions {
  readonly limit?: number;
  readonly capacity?: number;
  readonly values?: boolean;
}

export interface ReadBatch {
  get(key: Buffer): Promise<Buffer | null>;
  flush(): Promise<void>;
  destroy(): void;
}

export interface WriteBatch {
  tryPut(key: Buffer, value: Buffer): void;
  tryDelete(key: Buffer): void;
  tryDeleteRange(start: Buffer, end: Buffer): void;
  flush(): Promise<void>;
  destroy(): void;
}

interface ColumnFamilyOptions {
  readonly writeBufferSize?: number;
  readonly maxWriteBufferNumber?: number;
}

export interface Library {
  open(path: string): Database;
}

type Constructor = new (
  path: string,
  options: ColumnFamilyOptions & { readonly maxBackgroundJobs?: number; readonly maxOpenFiles?: number },
) => Database;

let loaded: Library | string | undefined;

/** The native library, or in words why it cannot be loaded and what to do. Loaded when first asked for. */
export function loadLibrary(): Library | string {
  loaded ??= load();
  return loaded;
}

function load(): Library | string {
  try {
    const RocksDB = createRequire(import.meta.url)('rocksdb-native') as Constructor;
    return {
      open: (path) =>
        new RocksDB(path, {
          writeBufferSize: 8 << 20,
          maxWriteBufferNumber: 2,
          maxBackgroundJobs: 2,
          maxOpenFiles: 256,
        }),
    };
  } catch (thrown) {
    return unavailable(messageOf(thrown));
  }
}

/** The sentence for a library that does not load. */
export function unavailable(reason: string): string {
  const cure = reason.includes('libatomic')
    ? 'install the system package libatomic1 (Debian, Ubuntu) or libatomic (Fedora, Alpine)'
    : 'check that the package rocksdb-native is installed and has a build for this platform';
  return `RocksDB cannot be loaded, so state stays in memory within its bound and is rebuilt from its changelog after a restart: ${cure} (${reason})`;
}
