import { FlowError } from '../../core/errors.ts';
import type { GroupDescription } from '../../log/log.ts';
import { forgetApplication, internalTopics, outputsOf } from '../../runtime/runtime.ts';
import { columnsOf } from '../columns.ts';
import type { Call, Command } from '../command.ts';
import { withLog } from '../engine.ts';
import { loadTopology, NAME_OPTION } from '../program.ts';
import { type Move, movesOf, rowsOf, type Target, targetOf } from '../reset-positions.ts';
import type { Engine } from '../wire.ts';
import type { World } from '../world.ts';
import { existingGroup } from './groups.ts';

export const reset: Command = {
  name: 'reset',
  parameters: '<application or group>',
  about:
    'Sets the positions of a group that is not running, or forgets all that an application has made. Shows what that ' +
    'means; does it with --yes only.',
  words: { min: 1, max: 1 },
  options: {
    'to-earliest': { about: 'To the first records that are there.' },
    'to-latest': { about: 'To the end: what is there and was not read is skipped.' },
    'to-datetime': {
      value: 'time',
      about: 'To the first records of that time or later, such as 2026-01-31T12:00:00Z.',
    },
    'by-duration': { value: 'span', about: 'The same, that long ago: 30min, 2h, 7d.' },
    topic: { value: 'topic', about: 'Only in this topic; may be given several times. Else in all that it reads.' },
    all: { about: 'Forgets the application: positions, stores, and every topic that the engine made for it.' },
    outputs: { about: 'With --all and --topology: also the topics that the application writes.' },
    topology: { value: 'file', about: 'The module of the application.' },
    ...NAME_OPTION,
    yes: { about: 'Does it.' },
  },
  async run(call, world) {
    const [name] = call.words as [string];
    const target = targetOf(call, world.clock.now());
    const all = call.option('all') !== undefined;
    if (all && (target !== undefined || call.option('topic') !== undefined)) {
      throw wrong('--all forgets everything; it goes with no other option that chooses');
    }
    if (!all && target === undefined) {
      throw wrong('say where to: --to-earliest, --to-latest, --to-datetime, --by-duration, or --all');
    }
    if (!all && call.option('outputs') !== undefined) throw wrong('--outputs goes with --all');
    const outputs = await outputsFor(call, name, world);
    return withLog(call, world, (engine) =>
      target === undefined ? forget(engine, name, outputs, call, world) : move(engine, name, target, call, world),
    );
  },
};

async function outputsFor(call: Call, name: string, world: World): Promise<readonly string[]> {
  const file = call.option('topology');
  const wanted = call.option('outputs') !== undefined;
  if (wanted && file === undefined) throw wrong('--outputs needs --topology <file>, which says what they are');
  if (file === undefined) return [];
  const { plan } = await loadTopology(file, call, world);
  if (plan.name !== name) throw wrong(`the topology of ${file} is ${plan.name}, not ${name}`);
  return wanted ? outputsOf(plan) : [];
}

async function move({ log }: Engine, name: string, target: Target, call: Call, world: World): Promise<number> {
  const { admin } = log;
  const topics = call.options('topic');
  const group = await existingGroup(admin, name);
  const moves = await movesOf(admin, group, topics, target);
  const isDone = call.option('yes') !== undefined;
  if (isDone) checkEmpty(group);
  const keeps = internalTopics(name, await admin.list()).some((topic) => topic.endsWith('.changelog'));
  if (!call.json) tellMoves(name, moves, world);
  if (isDone) await admin.setPositions(name, rowsOf(group, moves));
  if (call.json) world.out(JSON.stringify({ group: name, done: isDone, members: group.members, partitions: moves }));
  else {
    if (keeps)
      world.out(`the stores of ${name} stay as they are, and take in again what is read again; --all forgets them too`);
    tellEnd(isDone, group, 'positions are set', world);
  }
  return 0;
}

function tellMoves(name: string, moves: readonly Move[], world: World): void {
  if (moves.length === 0) world.out(`group ${name} has no positions in topics of others; name some with --topic`);
  else for (const line of columnsOf(['topic', 'partition', 'from', 'to', 'records', 'effect'], moves)) world.out(line);
  const sum = (effect: Move['effect']) =>
    moves.reduce((all, each) => all + (each.effect === effect ? each.records : 0), 0).toLocaleString('en-US');
  world.out(`${sum('read again')} positions are read again, ${sum('skipped')} are skipped`);
}

async function forget(
  { log, stateFolder }: Engine,
  name: string,
  outputs: readonly string[],
  call: Call,
  world: World,
): Promise<number> {
  const all = await log.admin.list();
  const topics = [...internalTopics(name, all), ...all.filter((topic) => outputs.includes(topic))].sort();
  const group = (await log.admin.groups([name]))[0];
  if (group === undefined && topics.length === 0) await existingGroup(log.admin, name);
  const isDone = call.option('yes') !== undefined;
  if (isDone && group !== undefined) checkEmpty(group);
  const positions = group?.positions.length ?? 0;
  if (!call.json) {
    for (const topic of topics) world.out(`topic ${topic}`);
    if (positions > 0) world.out(`${positions} positions of group ${name}`);
    if (stateFolder !== undefined) world.out(`stores in ${stateFolder}`);
  }
  if (isDone) await forgetApplication({ application: name, outputs, log, directory: stateFolder });
  if (call.json) {
    world.out(JSON.stringify({ application: name, done: isDone, members: group?.members ?? [], topics, positions }));
  } else tellEnd(isDone, group, 'all of this is forgotten', world);
  return 0;
}

function tellEnd(isDone: boolean, group: GroupDescription | undefined, done: string, world: World): void {
  if (isDone) world.out(`done: ${done}`);
  else if (group !== undefined && group.members.length > 0) world.out(`nothing was done: ${running(group)}`);
  else world.out('nothing was done yet; give the command again with --yes');
}

function checkEmpty(group: GroupDescription): void {
  if (group.members.length > 0) throw new FlowError('log.locked', running(group));
}

function running({ group, members }: GroupDescription): string {
  return `group ${group} has members: ${members.join(', ')}; stop them first`;
}

function wrong(text: string): FlowError {
  return new FlowError('option.unknown', `${text}; see nodeflow help reset`);
}
