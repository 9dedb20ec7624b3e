import { FlowError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { LogAdmin, TopicSettings } from '../../log/log.ts';
import { columnsOf } from '../columns.ts';
import type { Call, Command } from '../command.ts';
import { durationOf } from '../duration.ts';
import { withLog } from '../engine.ts';
import type { World } from '../world.ts';

export const topics: Command = {
  name: 'topics',
  parameters: '[list | describe <topic> | create <topic>]',
  about: 'Lists the topics of the log, tells about one, or makes one for an application to read.',
  words: { min: 0, max: 2 },
  options: {
    internal: { about: 'With list: also topics that the engine made for itself (nf.*).' },
    partitions: { value: 'count', about: 'With create: how many partitions it has; default 1.' },
    compact: { about: 'With create: it keeps the newest record of each key. Else it keeps all.' },
    retention: { value: 'span', about: 'With create: records that are older go, such as 7d. Else they stay.' },
  },
  run(call, world) {
    const [action = 'list', topic] = call.words;
    if (action === 'list' && topic === undefined) {
      const internal = call.option('internal') !== undefined;
      return withLog(call, world, ({ log }) => listTopics(log.admin, internal, call.json, world));
    }
    if (action === 'describe' && topic !== undefined) {
      return withLog(call, world, ({ log }) => describeTopic(log.admin, topic, call.json, world));
    }
    if (action === 'create' && topic !== undefined) {
      const settings = settingsOf(call);
      return withLog(call, world, ({ log }) => createTopic(log.admin, topic, settings, call.json, world));
    }
    throw wrong('topics takes list, or describe or create and a topic');
  },
};

function settingsOf(call: Call): TopicSettings {
  const [count, span] = [call.option('partitions') ?? '1', call.option('retention')];
  if (!/^[1-9]\d*$/.test(count)) throw wrong(`--partitions takes a count, not ${count}`);
  const isCompact = call.option('compact') !== undefined;
  if (span === undefined) return { partitions: Number(count), cleanup: isCompact ? 'compact' : 'none' };
  const retentionMs = durationOf(span);
  if (retentionMs === undefined) throw wrong(`--retention takes a span such as 7d, not ${span}`);
  return { partitions: Number(count), cleanup: isCompact ? 'compact,delete' : 'delete', retentionMs };
}

function wrong(text: string): FlowError {
  return new FlowError('option.unknown', `${text}; see nodeflow help topics`);
}

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

async function createTopic(
  admin: LogAdmin,
  topic: string,
  settings: TopicSettings,
  json: boolean,
  world: World,
): Promise<number> {
  await admin.create(topic, settings);
  const { id, settings: made } = (await admin.describe(topic))!;
  world.out(
    json ? JSON.stringify({ topic, id, settings: made }) : `made topic ${topic}, partitions: ${made.partitions}`,
  );
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
