import { join } from 'node:path';
import type { Disk } from './disk.ts';
import { readWhole, replaceFile } from './files.ts';
import { readJournal, type StoredJournal } from './journal.ts';
import type { Positions } from './positions.ts';
import type { Producers } from './producers.ts';
import { checkFormat, recoverPartition, replayKey, replays } from './recovery.ts';
import { readTopic, type Topic } from './topic.ts';

const FORMAT = 1;

export interface Folder {
  readonly disk: Disk;
  readonly directory: string;
  readonly topics: Map<string, Topic>;
  readonly producers: Producers;
  readonly positions: Positions;
  readonly generations: Map<string, number>;
}

/** Reads everything that is stored into the given parts. */
export async function loadFolder(
  folder: Folder,
): Promise<{ readonly journalNumber: number; readonly ids: Set<string> }> {
  const { disk, directory } = folder;
  await checkMeta(disk, directory);
  await disk.makeDirectory(join(directory, 'topics'));
  await disk.makeDirectory(join(directory, 'journal'));
  await disk.syncDirectory(directory);
  await loadTopics(folder);
  const journal = await readJournal(disk, join(directory, 'journal'));
  if (journal !== undefined) loadFacts(folder, journal);
  const parts = journal && replays(journal);
  for (const topic of folder.topics.values()) {
    for (const partition of topic.partitions) {
      await recoverPartition(disk, partition, parts?.get(replayKey(topic.id, partition.number)));
    }
  }
  const ids = new Set([...folder.topics.values()].map((topic) => topic.id));
  return { journalNumber: journal?.number ?? 0, ids };
}

async function checkMeta(disk: Disk, directory: string): Promise<void> {
  await disk.makeDirectory(directory);
  const path = join(directory, 'meta.json');
  const stored = await readWhole(disk, path);
  if (stored !== undefined) checkFormat(stored.toString(), path, FORMAT);
  else await replaceFile(disk, directory, 'meta.json', Buffer.from(`${JSON.stringify({ format: FORMAT })}\n`));
}

/** Topics whose making or deleting was interrupted are no topics. */
async function loadTopics({ disk, directory, topics }: Folder): Promise<void> {
  const root = join(directory, 'topics');
  for (const name of await disk.list(root)) {
    const path = join(root, name);
    const topic = name.startsWith('.') ? undefined : await readTopic(disk, path);
    if (topic === undefined) await disk.removeDirectory(path);
    else topics.set(topic.name, topic);
  }
}

function loadFacts({ producers, positions, generations }: Folder, { snapshot, entries }: StoredJournal): void {
  producers.nextId = snapshot.nextProducerId;
  for (const row of snapshot.producers) producers.restore(row);
  for (const row of snapshot.positions) positions.put(row);
  for (const [group, generation] of snapshot.generations) generations.set(group, generation);
  for (const { entry } of entries) {
    if (entry.type === 'commit') for (const row of entry.positions) positions.put(row);
    else if (entry.type === 'producer') producers.restore(entry.row);
    else if (entry.type === 'generation') generations.set(entry.group, entry.generation);
    else if (entry.type === 'topic.delete') positions.deleteTopic(entry.topic);
    else if (entry.type === 'group.delete') {
      positions.deleteGroup(entry.group);
      generations.delete(entry.group);
    }
  }
}
