import { existsSync, mkdirSync } from 'node:fs';
import { FlowError, isFlowError } from '../../core/errors.ts';
import type { Position } from '../../core/ids.ts';
import type { Disk } from '../disk.ts';
import type { Database, Library } from './library.ts';
import { readMeta } from './meta.ts';
import { corruptMark, setAside } from './quarantine.ts';
import { RocksDisk, readPanes, reasonOf, type TableShape } from './rocksdb.ts';

/** Folders that this thread has open: RocksDB would refuse them too, but only with a message about a lock file. */
const owned = new Set<string>();

/**
 * Opens a task's folder, making it where it is not there. A corrupt folder is moved aside, told, and replaced by
 * an empty one. Fails with `state.locked` where someone has it open, and `state.format` where it is newer.
 */
export async function openRocks(
  library: Library,
  directory: string,
  tables: readonly TableShape[],
  onQuarantine: (message: string) => void,
): Promise<Disk> {
  if (owned.has(directory)) throw locked(directory, 'this thread has it open');
  owned.add(directory);
  try {
    mkdirSync(directory, { recursive: true });
    let reason = corruptMark(directory);
    if (reason === undefined) {
      try {
        return release(await openOnce(library, directory, tables), directory);
      } catch (thrown) {
        if (isFlowError(thrown)) throw thrown;
        reason = reasonOf(thrown);
        if (/\block\b/i.test(reason)) throw locked(directory, reason);
        if (/no space|too many open files|permission denied|ENOSPC|EACCES|EMFILE/i.test(reason)) {
          throw new FlowError(
            'state.full',
            `state folder ${directory} cannot be opened: check space, permissions and open files (${reason})`,
          );
        }
      }
    }
    const aside = setAside(directory);
    onQuarantine(
      `state folder ${directory} is corrupt (${reason}); it was moved to ${aside} and the store starts empty, to be rebuilt from its changelog`,
    );
    return release(await openOnce(library, directory, tables), directory);
  } catch (thrown) {
    owned.delete(directory);
    throw thrown;
  }
}

/** The positions in a folder that nobody has open, which is left as it is; `undefined` where they cannot be read. */
export async function lookAtRocks(
  library: Library,
  directory: string,
  tables: readonly TableShape[],
): Promise<ReadonlyMap<string, Position> | undefined> {
  if (owned.has(directory) || !existsSync(directory) || corruptMark(directory) !== undefined) return undefined;
  owned.add(directory);
  try {
    const disk = await openOnce(library, directory, tables);
    await disk.close();
    return disk.positions;
  } catch {
    return undefined;
  } finally {
    owned.delete(directory);
  }
}

function locked(directory: string, reason: string): FlowError {
  return new FlowError(
    'state.locked',
    `state folder ${directory} has another owner: stop it, or use another folder (${reason})`,
  );
}

async function openOnce(library: Library, directory: string, tables: readonly TableShape[]): Promise<Disk> {
  const database: Database = library.open(directory);
  try {
    await database.ready();
  } catch (thrown) {
    await database.close().catch(() => {});
    throw thrown;
  }
  try {
    const meta = await readMeta(
      database,
      directory,
      tables.map(({ name }) => name),
    );
    return new RocksDisk(database, directory, meta, await readPanes(database, meta, tables));
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** Gives the folder free when the disk is closed. */
function release(disk: Disk, directory: string): Disk {
  const close = disk.close.bind(disk);
  disk.close = async () => {
    try {
      await close();
    } finally {
      owned.delete(directory);
    }
  };
  return disk;
}
