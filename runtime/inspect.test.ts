import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { int64, json, string, topic, topology } from '../index.ts';
import type { Log, TopicCopies } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { prepareTopics } from './deploy.ts';
import { inspectApplication } from './inspect.ts';
import { listTasks } from './list-tasks.ts';
import { PlanIndex } from './stage.ts';

const app = topology('shop');
app
  .stream(topic('orders', { key: string(), value: json(), partitions: 2 }))
  .groupByKey()
  .count({ store: 'n' })
  .toStream()
  .to(topic('counts', { key: string(), value: int64(), partitions: 2 }));

/** What is found where every topic is there, with such copies. */
async function inspectCopies(copies: TopicCopies) {
  const memory = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  await memory.admin.create('orders', { partitions: 2 });
  const program = app.build();
  const index = new PlanIndex(program.plan);
  await prepareTopics(memory.admin, index, await listTasks(program, index));
  const { describe } = memory.admin;
  const told: Log['admin']['describe'] = async (name) => {
    const found = await describe.call(memory.admin, name);
    return found && { ...found, copies };
  };
  const log: Log = Object.assign(memory, { admin: Object.assign(memory.admin, { describe: told }) });
  return inspectApplication(program, log);
}

test('copies as they were asked for, or of nobody who asked, are in order', async () => {
  for (const copies of [
    { fewest: 3, needed: 2, asked: 3 },
    { fewest: 1, needed: 1 },
  ]) {
    const { faults, warnings } = await inspectCopies(copies);
    assert.deepEqual([faults, warnings], [[], []]);
  }
});

test('fewer copies than asked for are a fault of the topics that are ours, and a warning of an output', async () => {
  const { topics, faults, warnings } = await inspectCopies({ fewest: 2, needed: 2, asked: 3 });
  assert.deepEqual(warnings, [
    'topic counts has 2 copies of a partition where kafka.replication is 3, and is lost with fewer brokers; ' +
      'add copies with kafka-reassign-partitions.sh, or ask for 2',
  ]);
  const ours = [...topics.keys()].filter((name) => name.startsWith('nf.'));
  assert.equal(faults.length, ours.length);
  for (const name of ours)
    assert.ok(
      faults.some((fault) => fault.startsWith(`topic ${name} has 2 copies`)),
      name,
    );
});

test('a topic that can never take a record is a fault, but for one that is only read', async () => {
  const { topics, faults } = await inspectCopies({ fewest: 1, needed: 2 });
  assert.equal(faults.length, topics.size - 1);
  assert.ok(!faults.some((fault) => fault.startsWith('topic orders ')));
  assert.ok(
    faults.includes(
      'topic counts has 1 copy of a partition and takes no records, since its min.insync.replicas is 2; ' +
        'add copies with kafka-reassign-partitions.sh, or set that to 1',
    ),
    faults.join('\n'),
  );
});
