import { join } from 'node:path';
import type { Bytes } from '../../core/bytes.ts';
import { failpoint } from '../../core/failpoints.ts';
import type { Disk, DiskFile } from './disk.ts';
import { readWhole } from './files.ts';
import {
  type DecodedEntry,
  decodeEntry,
  encodeEntry,
  isJournal,
  JOURNAL_HEAD_BYTES,
  journalHead,
  type SnapshotEntry,
} from './journal-frame.ts';

/**
 * The transaction journal: files in a row, each beginning with a snapshot of all that the journal alone
 * knows, so that the newest whole one suffices. Writes come from one place, one after the other.
 */
export class Journal {
  /** Bytes of the current file that are whole entries. */
  size = 0;
  readonly #disk: Disk;
  readonly #directory: string;
  #number: number;
  #file: DiskFile | undefined;

  constructor(disk: Disk, directory: string, number: number) {
    this.#disk = disk;
    this.#directory = directory;
    this.#number = number;
  }

  /** Appends entries durably. After a failure the file is as before, or the failure says that it is not known. */
  async append(parts: readonly Bytes[]): Promise<void> {
    const file = this.#file!;
    let length = 0;
    for (const part of parts) length += part.length;
    await file.write(parts, this.size);
    failpoint('file.journal.written');
    await file.datasync();
    failpoint('file.journal.synced');
    this.size += length;
  }

  /** Takes back what a failed append may have left. */
  async cutBack(): Promise<void> {
    await this.#file!.truncate(this.size);
    await this.#file!.datasync();
  }

  /** Begins the next file with a snapshot; the older ones are not needed from then on. */
  async rotate(snapshot: SnapshotEntry): Promise<void> {
    const number = this.#number + 1;
    const path = join(this.#directory, journalName(number));
    const parts = [journalHead(), ...encodeEntry(snapshot, [])];
    const file = await this.#disk.open(path, true);
    try {
      await file.truncate(0);
      await file.write(parts, 0);
      failpoint('file.checkpoint.written');
      await file.datasync();
      await this.#disk.syncDirectory(this.#directory);
    } catch (thrown) {
      await file.close();
      await this.#disk.unlink(path).catch(() => undefined);
      throw thrown;
    }
    failpoint('file.checkpoint.switched');
    const before = this.#file;
    this.#file = file;
    this.#number = number;
    this.size = parts.reduce((sum, part) => sum + part.length, 0);
    await before?.close();
    await this.#trim();
  }

  async #trim(): Promise<void> {
    for (const name of await this.#disk.list(this.#directory)) {
      const number = journalNumber(name);
      if (number === undefined || number >= this.#number) continue;
      await this.#disk.unlink(join(this.#directory, name));
      failpoint('file.checkpoint.trimmed');
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}

export interface StoredJournal {
  readonly number: number;
  readonly snapshot: SnapshotEntry;
  readonly entries: readonly DecodedEntry[];
}

/** The newest journal that begins with a whole snapshot, up to its last whole entry. */
export async function readJournal(disk: Disk, directory: string): Promise<StoredJournal | undefined> {
  const numbers = (await disk.list(directory)).map(journalNumber).filter((number) => number !== undefined);
  for (const number of numbers.sort((a, b) => b - a)) {
    const path = join(directory, journalName(number));
    const bytes = await readWhole(disk, path);
    if (bytes === undefined || !isJournal(bytes, path)) continue;
    const first = decodeEntry(bytes, JOURNAL_HEAD_BYTES);
    if (first?.entry.type !== 'snapshot') continue;
    const entries: DecodedEntry[] = [];
    for (let at = first.next; ; ) {
      const decoded = decodeEntry(bytes, at);
      if (decoded === undefined) break;
      entries.push(decoded);
      at = decoded.next;
    }
    return { number, snapshot: first.entry, entries };
  }
  return undefined;
}

function journalName(number: number): string {
  return `${String(number).padStart(12, '0')}.journal`;
}

function journalNumber(name: string): number | undefined {
  return /^\d{12}\.journal$/.test(name) ? Number(name.slice(0, 12)) : undefined;
}
