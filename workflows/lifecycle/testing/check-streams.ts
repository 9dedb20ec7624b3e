import assert from 'node:assert/strict';
import { keyOf } from '../row.ts';
import type { World } from './world.ts';

/** Every segment is told that what is there is the whole: those that run at once, and others when they begin. */
export function checkEnds(world: World): void {
  const running = new Set<string>();
  let isEnding = false;
  for (const { record, effects } of world.sent) {
    const before = new Set(running);
    const ends = record?.events.some(({ type }) => type === 'ending') ?? false;
    isEnding ||= ends;
    for (const event of record?.events ?? []) {
      if (event.type !== 'node' || world.graph.nodes[event.node]!.type.behaviour.kind !== 'operator') continue;
      if (event.to === 'RUNNING') running.add(keyOf(event.node, event.iteration));
      else running.delete(keyOf(event.node, event.iteration));
    }
    const told = effects.flatMap((each) => (each.effect === 'end' ? [keyOf(each.node, each.iteration)] : []));
    assert.deepEqual(told.sort(), ends ? [...before].sort() : [], 'S1.2: other segments than those that run are told');
    for (const effect of effects) {
      if (effect.effect === 'run') assert.ok(effect.ending || !isEnding, 'S1.2: a segment begins, and is not told');
    }
  }
}

/** What goes on from a savepoint starts once, when the execution has ended, and has what had completed. */
export function checkSavepoints(world: World): void {
  const events = world.records.flatMap((record) => record.events);
  const told = events.find((event) => event.type === 'savepoint');
  const starts = world.sent.flatMap(({ effects, record }) =>
    effects.flatMap((each) =>
      each.effect === 'send' && each.command.type === 'start' && each.execution.includes('/~')
        ? [{ ...each, command: each.command, record }]
        : [],
    ),
  );
  const next = told?.type === 'savepoint' ? told.next : null;
  assert.equal(
    starts.length,
    next === null ? 0 : 1,
    'S1.2: what goes on from a savepoint starts as often as it is asked',
  );
  if (told === undefined) return;
  checkTakenAlong(world);
  const ended = events.at(-1);
  assert.ok(ended?.type === 'ended' && ended.status === 'CANCELLED', 'S1.2: a savepoint ends the execution');
  const [start] = starts;
  if (start === undefined || next === null) return;
  assert.equal(start.record?.events.at(-1), ended, 'S1.2: it starts before all has ended');
  assert.equal(start.workflow, 'w@2.0.0');
  const completed = world.graph.nodes.filter(({ number, parent, standIn }) => {
    const isTop = parent < 0 && standIn < 0 && !world.graph.nodes.some(({ compensation }) => compensation === number);
    return isTop && world.rows.node(keyOf(number, ''))?.status === 'COMPLETED';
  });
  const kept = world.graph.nodes.filter(({ number, parent, type }) => {
    const row = world.rows.node(keyOf(number, ''));
    const hasKept = parent < 0 && type.behaviour.kind === 'child' && row?.checkpoint != null;
    return hasKept && row?.cause === 'savepoint';
  });
  assert.deepEqual(
    Object.keys(start.command.continues?.children ?? {}),
    kept.map(({ id }) => id).filter((id) => next.nodes.includes(id)),
    'S1.2: other executions go on than were kept',
  );
  const wanted = completed.map(({ id }) => id).filter((id) => next.nodes.includes(id));
  assert.deepEqual(Object.keys(start.command.outputs ?? {}), wanted, 'S1.2: other outputs go on than had been put out');
}

/**
 * Executions for records are cancelled when their node ends: none begins behind that, and none is left. At a savepoint,
 * and between attempts, they go on.
 */
export function checkStarted(world: World): void {
  /** Nodes of which some may be open. */
  const open = new Set<string>();
  let isKept = false;
  const starts = (node: number) => {
    const { behaviour } = world.graph.nodes[node]!.type;
    return behaviour.kind === 'inner' && behaviour.starts === true;
  };
  for (const { record, effects } of world.sent) {
    for (const event of record?.events ?? []) {
      if (event.type === 'savepoint') isKept = true;
      if (event.type !== 'node' || !starts(event.node)) continue;
      if (event.to === 'RUNNING') open.add(keyOf(event.node, event.iteration));
    }
    for (const effect of effects) {
      if (effect.effect !== 'tell-started') continue;
      assert.ok(starts(effect.node), 'S1.2.f: a node is told of that starts nothing');
      if (effect.command.type === 'cancel') open.delete(keyOf(effect.node, effect.iteration));
    }
  }
  if (!isKept) assert.deepEqual([...open], [], 'S1.2.f: what was started for records is left running');
}

/** What nodes at the top have started stops at a savepoint of its own, and is not cancelled, within the grace or beyond. */
function checkTakenAlong(world: World): void {
  let isAtSavepoint = false;
  for (const { effects, record } of world.sent) {
    isAtSavepoint ||= record?.events.some(({ type }) => type === 'savepoint') ?? false;
    for (const each of effects) {
      if (!isAtSavepoint || each.effect !== 'send' || each.command.type !== 'cancel') continue;
      assert.match(each.execution, /@/, 'S1.2: what a savepoint takes along is cancelled');
    }
  }
}
