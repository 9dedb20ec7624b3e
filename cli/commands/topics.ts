import { FlowError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { LogAdmin } from '../../log/log.ts';
import { columnsOf } from '../columns.ts';
import type { Command } from '../command.ts';
import { withLog } from '../engine.ts';
import type { World } from '../world.ts';

export const topics: Command = {
  name: 'topics',
  parameters: '[list | describe <topic>]',
  about: 'Lists the topics of the log, or tells about one.',
  words: { min: 0, max: 2 },
  options: { internal: { about: 'With list: also topics that the engine made for itself (nf.*).' } },
  run(call, world) {
    const [action = 'list', topic] = call.words;
    if (action === 'list' && topic === undefined) {
      const internal = call.option('internal') !== undefined;
      return withLog(call, world, ({ log }) => listTopics(log.admin, internal, call.json, world));
    }
    if (action === 'describe' && topic !== undefined) {
      return withLog(call, world, ({ log }) => describeTopic(log.admin, topic, call.json, world));
    }
    throw new FlowError('option.unknown', 'topics takes list, or describe and a topic; see nodeflow help topics');
  },
};

/** Fails with `topic.missing`, naming topics that may have been meant. */
export async function existingTopic(admin: LogAdmin, topic: string) {
  const found = await admin.describe(topic);
  if (found !== undefined) return found;
  const hint = didYouMean(topic, await admin.list());
  throw new FlowError('topic.missing', `there is no topic ${topic}${hint === '' ? '; see nodeflow topics' : hint}`);
}

async function bounds(admin: LogAdmin, topic: string, partitions: number) {
  return Promise.all(Array.from({ length: partitions }, (_, partition) => admin.bounds(topic, partition)));
}

async function listTopics(admin: LogAdmin, internal: boolean, json: boolean, world: World): Promise<number> {
  const names = (await admin.list()).filter((name) => internal || !name.startsWith('nf.'));
  const rows = [];
  for (const topic of [...names].sort()) {
    const { settings } = (await admin.describe(topic))!;
    const all = await bounds(admin, topic, settings.partitions);
    const positions = all.reduce((sum, { start, stable }) => sum + stable - start, 0);
    rows.push({ topic, partitions: settings.partitions, positions, cleanup: settings.cleanup });
  }
  if (json) for (const row of rows) world.out(JSON.stringify(row));
  else for (const line of columnsOf(['topic', 'partitions', 'positions', 'cleanup'], rows)) world.out(line);
  return 0;
}

async function describeTopic(admin: LogAdmin, topic: string, json: boolean, world: World): Promise<number> {
  const { id, settings } = await existingTopic(admin, topic);
  const all = await bounds(admin, topic, settings.partitions);
  const partitions = all.map((each, partition) => ({ partition, ...each }));
  if (json) {
    world.out(JSON.stringify({ topic, id, settings, partitions }));
    return 0;
  }
  world.out(`topic ${topic}`);
  for (const [name, value] of Object.entries(settings)) world.out(`  ${name}: ${value}`);
  for (const line of columnsOf(['partition', 'start', 'stable', 'end'], partitions)) world.out(line);
  return 0;
}
