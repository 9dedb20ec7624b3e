import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { randomInt, seededRandom } from '../../core/random.ts';
import { DEFINITIONS_TOPIC, type StepEvent } from '../../events/events.ts';
import type { Log } from '../../log/log.ts';
import { createMemoryLog } from '../../log/memory/memory.ts';
import { createStateBackend } from '../../state/state.ts';
import { silentTelemetry } from '../../telemetry/telemetry.ts';
import { createLanguage, openWorkflows, type Workflows } from '../workflows.ts';
import { ADD, ADD_TASK, added, document, numberType } from './testing/small-documents.ts';

const TIMEOUT = { timeout: 240_000 };
const PARTITIONS = 4;
const EXECUTIONS = 8;

const WAITS = document(
  'waits',
  [
    ['a', 'add-task', { n: 1 }],
    ['c', 'wait.signal', { name: 'go' }],
    ['d', 'add', { n: 5 }],
  ],
  ['a c', 'c d'],
);

/** Tasks of this type run until their process ends, the first time; then they are done at once. */
let held = 0;
const HELD = numberType('held', {
  kind: 'task',
  async run(config, inputs) {
    if (held++ < 1) await new Promise<never>(() => {});
    return added(config, inputs);
  },
});

/** Tasks of this type run until they are let go, or are not wanted. */
const lasting = { begun: 0, aborted: 0, go: () => {} };
const letGo = new Promise<void>((resolve) => {
  lasting.go = resolve;
});
const LASTING = numberType('lasting', {
  kind: 'task',
  async run(config, inputs, { signal }) {
    lasting.begun++;
    signal.addEventListener('abort', () => lasting.aborted++);
    await letGo;
    return added(config, inputs);
  },
});

function openHere(log: Log): Promise<Workflows> {
  return openWorkflows({
    ...{ log, state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry: silentTelemetry() },
    language: createLanguage({ types: [ADD, ADD_TASK, HELD, LASTING, FAILS] }),
    settings: { partitions: PARTITIONS },
  });
}

const FAILS = numberType('fails', {
  kind: 'task',
  async run() {
    throw new Error('never');
  },
});

const isLetter = (event: StepEvent) => event.type === 'dead-letter';

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 4000; i++) {
    if (await holds()) return;
    await systemClock.sleep(5);
  }
  assert.fail('it never comes to that');
}

/** As many processes over one log, each with executions of its own. */
async function several(count: number, work: (all: Workflows[], log: Log) => Promise<void>): Promise<void> {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const all: Workflows[] = [];
  for (let i = 0; i < count; i++) all.push(await openHere(log));
  try {
    await all[0]!.publish(WAITS);
    // each takes part when it has run something
    for (let round = 0; all.some(({ figures }) => figures().started === 0); round++) {
      for (let i = 0; i < EXECUTIONS; i++) await all[i % count]!.start('waits', i, { execution: `early${round}-${i}` });
    }
    await work(all, log);
  } finally {
    for (const each of all) await each.drain();
    await log.close();
  }
}

/** The same log to a process that learns late of what others publish. */
function lateDefinitions(log: Log): Log {
  return {
    ...{ capabilities: log.capabilities, admin: log.admin },
    ...{ producer: (options) => log.producer(options), join: (options) => log.join(options) },
    ...{ committed: (group, places) => log.committed(group, places), close: () => log.close() },
    reader(options) {
      const reader = log.reader(options);
      const [assign, fetch] = [reader.assign.bind(reader), reader.fetch.bind(reader)];
      reader.assign = (places) => {
        assign(places);
        if (!places.some(({ topic }) => topic === DEFINITIONS_TOPIC)) return;
        reader.fetch = async (...args) => {
          const fetched = await fetch(...args);
          if (fetched.length > 0) await systemClock.sleep(100);
          return fetched;
        };
      };
      return reader;
    },
  };
}

const isWaiting = async (each: Workflows, execution: string) =>
  (await each.execution(execution))?.nodes.some(({ id, status }) => id === 'c' && status === 'RUNNING') ?? false;

test('every process answers for every execution', TIMEOUT, () =>
  several(2, async (all) => {
    const names = Array.from({ length: EXECUTIONS }, (_, i) => `x${i}`);
    for (const [i, execution] of names.entries()) await all[i % 2]!.start('waits', i, { execution });
    for (const execution of names) {
      await until(async () => (await isWaiting(all[0]!, execution)) && (await isWaiting(all[1]!, execution)));
      const [one, other] = await Promise.all(all.map((each) => each.execution(execution)));
      assert.deepEqual(one, other);
      const told = await Promise.all(all.map((each) => each.explain(execution, 'c')));
      assert.equal(told[0]!.status, 'RUNNING');
      // how long it has been so grows between the two
      const [first, second] = told.map(({ text, ...rest }) => ({
        ...rest,
        text: text.replace(/ for [^;,]+? m?s\b/, ''),
      }));
      assert.deepEqual(first, second);
      const histories = await Promise.all(all.map((each) => each.history(execution)));
      assert.deepEqual(histories[0], histories[1]);
      const past = await Promise.all(all.map((each) => each.executionAt(execution, 1)));
      assert.equal(past[0]!.seq, 1);
      assert.deepEqual(past[0], past[1]);
    }
    const ends = names.map((execution) => Promise.all(all.map((each) => each.ended(execution))));
    for (const [i, execution] of names.entries()) {
      const answer = await all[(i + 1) % 2]!.signal(execution, 'go', i);
      assert.equal(answer.execution, execution);
    }
    for (const [i, end] of ends.entries()) {
      const [one, other] = await end;
      assert.deepEqual(one, other);
      assert.deepEqual(one!.output, { d: i + 5 });
    }
    for (const each of all) {
      for (const execution of names) {
        assert.equal((await each.execution(execution))?.status, 'COMPLETED');
        assert.equal((await each.ended(execution)).status, 'COMPLETED');
        await assert.rejects(each.pause(execution), { code: 'workflow.ended' });
        assert.equal((await each.start('waits', 0, { execution })).existing, true);
      }
      for (const unknown of ['nobody', 'nobody-2', 'nobody-3', 'nobody-4', 'nobody-5']) {
        assert.equal(await each.execution(unknown), undefined);
        assert.deepEqual(await each.history(unknown), []);
        await assert.rejects(each.explain(unknown, 'a'), { code: 'workflow.unknown-execution' });
        await assert.rejects(each.ended(unknown), { code: 'workflow.unknown-execution' });
        await assert.rejects(each.cancel(unknown), { code: 'workflow.unknown-execution' });
      }
    }
  }),
);

test('a fork, a patch and an approval go by any process', TIMEOUT, () =>
  several(2, async (all) => {
    const patch = [
      { op: 'add-node', node: { id: 'more', type: 'add', data: { config: { n: 100 } } } },
      { op: 'add-edge', edge: { source: 'd', target: 'more' } },
    ] as const;
    for (let i = 0; i < 4; i++) {
      const [one, other] = i % 2 === 0 ? [all[0]!, all[1]!] : [all[1]!, all[0]!];
      const { execution } = await one.start('waits', i);
      await until(() => isWaiting(other, execution));
      await other.patch(execution, 0, patch);
      const views = await Promise.all(all.map((each) => each.execution(execution)));
      assert.equal(views[0]!.revision, 1);
      assert.deepEqual(views[0], views[1]);
      const fork = await other.fork(execution, 3);
      await until(() => isWaiting(one, fork.execution));
      await one.cancel(execution, { reason: 'enough' });
      await one.signal(fork.execution, 'go', 1);
      assert.equal((await other.ended(execution)).status, 'CANCELLED');
      assert.deepEqual((await other.ended(fork.execution)).output, { d: 6 });
    }
  }),
);

test('events of a workflow that was just published have their words on every process', TIMEOUT, () =>
  several(1, async (all, log) => {
    all.push(await openHere(lateDefinitions(log)));
    const words = all.map(() => new Map<string, string[]>());
    const following = all.map(({ feed }, i) =>
      feed.events({ types: ['NODE_STATE_CHANGED'] }, undefined, ({ execution, workflow, node }) => {
        words[i]!.set(execution, [...(words[i]!.get(execution) ?? []), `${workflow} ${node}`]);
      }),
    );
    const names = ['new-1', 'new-2', 'new-3'];
    for (const name of names) {
      await all[0]!.publish(document(name, [['only', 'add', { n: 1 }]], []));
      await all[0]!.start(name, 1, { execution: name });
    }
    for (const told of words) {
      for (const name of names) {
        await until(() => told.has(name));
        assert.deepEqual([...new Set(told.get(name))], [`${name} only`]);
      }
    }
    for (const each of following) each.close();
  }),
);

test('a dead letter is redriven by any process', TIMEOUT, () =>
  several(2, async (all) => {
    const nodes = [
      ['a', 'fails', { n: 1 }],
      ['c', 'wait.signal', { name: 'go' }],
    ] as const;
    await all[0]!.publish(document('buries', nodes, [], { a: { onError: 'dead-letter', retry: { maxAttempts: 1 } } }));
    for (let i = 0; i < 4; i++) {
      const { execution } = await all[i % 2]!.start('buries', i);
      const other = all[(i + 1) % 2]!;
      const letters = async () => (await other.history(execution)).flatMap(({ events }) => events).filter(isLetter);
      await until(async () => (await letters()).length === 1);
      const [letter] = await letters();
      await other.redrive(letter!.id);
      await until(async () => (await letters()).length === 2);
      await assert.rejects(other.redrive(`${letter!.id}x`), { code: 'dead-letter.unknown' });
    }
    await assert.rejects(all[0]!.redrive('d1'), { code: 'dead-letter.unknown' });
  }),
);

test('who waits for an end is told of it though partitions move meanwhile', TIMEOUT, async () => {
  await several(2, async (all, log) => {
    const random = seededRandom(3);
    const names = Array.from({ length: EXECUTIONS }, (_, i) => `m${i}`);
    for (const execution of names) await all[0]!.start('waits', 1, { execution });
    const ends = names.map((execution) => all[0]!.ended(execution));
    for (let round = 0; round < 2; round++) {
      await all.pop()!.drain();
      for (const execution of names) assert.equal((await all[0]!.execution(execution))?.status, 'RUNNING');
      all.push(await openHere(log));
      const asked = names[randomInt(random, names.length)]!;
      assert.equal((await all[1]!.execution(asked))?.status, 'RUNNING');
    }
    for (const execution of names) await all[1]!.signal(execution, 'go', 7);
    for (const end of ends) assert.deepEqual((await end).output, { d: 12 });
  });
});

test('an engine that stops says so to those who wait at it, and to nobody else', TIMEOUT, () =>
  several(2, async (all) => {
    const { execution } = await all[0]!.start('waits', 1);
    const [here, there] = all.map((each) => each.ended(execution));
    const stopped = assert.rejects(here!, { code: 'stopped' });
    await all.shift()!.drain();
    await stopped;
    await all[0]!.signal(execution, 'go', 1);
    assert.deepEqual((await there!).output, { d: 6 });
  }),
);

test('a call that its process leaves behind is made by whoever takes its execution', TIMEOUT, () =>
  several(3, async (all) => {
    await all[0]!.publish(document('long', [['a', 'held', { n: 1 }]], []));
    const before = all.map(({ figures }) => figures().started);
    const { execution } = await all[0]!.start('long', 1);
    await until(() => held === 1);
    const owner = all.findIndex(({ figures }, i) => figures().started > before[i]!);
    const [gone] = all.splice(owner, 1);
    const third = gone!.drain();
    assert.deepEqual((await all[0]!.ended(execution)).output, { a: 2 });
    await third;
    const failed = (await all[0]!.history(execution)).flatMap(({ events }) =>
      events.filter(({ type }) => type === 'attempt-failed'),
    );
    assert.deepEqual(failed, []);
  }),
);

test(
  'a call whose partition goes to a process that joins is given up here and made there, and counts as no failure',
  TIMEOUT,
  () =>
    several(1, async (all, log) => {
      await all[0]!.publish(document('lasts', [['a', 'lasting', { n: 1 }]], []));
      const names = Array.from({ length: EXECUTIONS }, (_, i) => `lasts-${i}`);
      for (const execution of names) await all[0]!.start('lasts', 1, { execution });
      await until(() => lasting.begun === EXECUTIONS);
      all.push(await openHere(log));
      await until(() => lasting.aborted > 0 && lasting.begun === EXECUTIONS + lasting.aborted);
      lasting.go();
      for (const execution of names) {
        assert.deepEqual((await all[1]!.ended(execution)).output, { a: 2 });
        const events = (await all[1]!.history(execution)).flatMap((record) => record.events);
        assert.deepEqual(
          events.filter(({ type }) => type === 'attempt-failed'),
          [],
        );
      }
    }),
);

test('schedules are told by every process, whoever keeps them', TIMEOUT, () =>
  several(2, async (all) => {
    for (let i = 0; i < 6; i++) {
      const scheduled = { ...(document(`nightly-${i}`, [['a', 'add', { n: 1 }]], []) as object) };
      const trigger = { type: 'schedule', config: { cron: '@daily', input: {} } };
      await all[i % 2]!.publish({ ...scheduled, triggers: [trigger] });
    }
    for (const each of all) {
      await until(async () => (await each.schedules()).length === 6);
      assert.deepEqual(
        (await each.schedules()).map(({ workflow }) => workflow),
        Array.from({ length: 6 }, (_, i) => `nightly-${i}`),
      );
    }
    assert.deepEqual(await all[0]!.schedules(), await all[1]!.schedules());
  }),
);
