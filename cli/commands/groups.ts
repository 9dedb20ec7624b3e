import { ledgerTopic } from '../../checkpoints/checkpoints.ts';
import { FlowError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { GroupDescription, Log, LogAdmin } from '../../log/log.ts';
import { columnsOf } from '../columns.ts';
import type { Command } from '../command.ts';
import { connectorStage } from '../connector-stage.ts';
import { durationInWords } from '../duration.ts';
import { withLog } from '../engine.ts';
import { lagOf } from '../lag.ts';
import type { World } from '../world.ts';

export const groups: Command = {
  name: 'groups',
  parameters: '[group]',
  about: 'Lists the groups that read the log, or tells who is in one and how far it is behind. An application is one.',
  words: { min: 0, max: 1 },
  options: {},
  run(call, world) {
    const [group] = call.words;
    return withLog(call, world, ({ log }) =>
      group === undefined ? listGroups(log.admin, call.json, world) : tellGroup(log, group, call.json, world),
    );
  },
};

/** Fails with `group.missing`, naming groups that may have been meant. */
export async function existingGroup(admin: LogAdmin, group: string): Promise<GroupDescription> {
  const [found] = await admin.groups([group]);
  if (found !== undefined) return found;
  const names = (await admin.groups()).map((one) => one.group);
  const hint = didYouMean(group, names);
  throw new FlowError('group.missing', `there is no group ${group}${hint === '' ? '; see nodeflow groups' : hint}`);
}

const stateOf = ({ members }: GroupDescription) => (members.length > 0 ? 'active' : 'empty');

async function listGroups(admin: LogAdmin, json: boolean, world: World): Promise<number> {
  const topics = new Set(await admin.list());
  const rows = (await admin.groups()).map((group) => ({
    group: group.group,
    state: stateOf(group),
    members: group.members.length,
    partitions: group.positions.length,
    application: topics.has(ledgerTopic(group.group)),
  }));
  if (json) for (const row of rows) world.out(JSON.stringify(row));
  else {
    const shown = rows.map((row) => ({ ...row, application: row.application ? 'yes' : 'no' }));
    for (const line of columnsOf(['group', 'state', 'members', 'partitions', 'application'], shown)) world.out(line);
  }
  return 0;
}

async function tellGroup(log: Log, name: string, json: boolean, world: World): Promise<number> {
  const group = await existingGroup(log.admin, name);
  const places = group.positions.filter(({ topic }) => connectorStage(name, topic) === undefined);
  const connectors = group.positions.filter(({ topic }) => connectorStage(name, topic) !== undefined);
  const partitions = await lagOf(log, places, world.clock.now());
  const members = group.members.map((member) => ({ member, tasks: group.tasks.get(member) ?? [] }));
  const total = {
    lag: partitions.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
    lagMs: Math.max(0, ...partitions.map(({ lagMs }) => lagMs)),
    ageMs: Math.max(0, ...partitions.map(({ ageMs }) => ageMs ?? 0)),
  };
  const sources = connectors.map(({ topic, partition, position }) => ({
    stage: connectorStage(name, topic),
    ...{ split: partition, rows: position },
  }));
  if (json) {
    const { generation } = group;
    const document = { group: name, state: stateOf(group), generation, members, partitions, sources, ...total };
    world.out(JSON.stringify(document));
    return 0;
  }
  world.out(`group ${name}: ${stateOf(group)}${members.length === 0 ? '' : `, generation ${group.generation}`}`);
  for (const { member, tasks } of members) {
    world.out(`  member ${member}${tasks.length === 0 ? '' : `: ${tasks.length} tasks, ${tasks.join(', ')}`}`);
  }
  const rows = partitions.map(({ lagMs, ageMs, end, ...row }) => ({
    ...row,
    end: end ?? 'gone',
    ...{
      behind: ageMs === null ? '-' : durationInWords(lagMs),
      waiting: ageMs === null ? '-' : durationInWords(ageMs),
    },
  }));
  const columns = ['topic', 'partition', 'position', 'end', 'lag', 'behind', 'waiting'];
  for (const line of rows.length === 0 ? [] : columnsOf(columns, rows)) world.out(line);
  for (const line of sources.length === 0 ? [] : columnsOf(['stage', 'split', 'rows'], sources)) world.out(line);
  const { lag, lagMs, ageMs } = total;
  if (lag === 0) world.out('total: everything is read');
  else {
    const oldest = `the oldest record not read is ${durationInWords(ageMs)} old`;
    world.out(
      `total: ${lag.toLocaleString('en-US')} positions not read, up to ${durationInWords(lagMs)} behind the newest; ${oldest}`,
    );
  }
  return 0;
}
