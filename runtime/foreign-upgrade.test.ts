import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changelogTopic, planRow } from '../checkpoints/checkpoints.ts';
import { systemClock } from '../core/clock.ts';
import { hash128 } from '../core/hash128.ts';
import { seededRandom } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { bytes, string } from '../schemas/schemas.ts';
import { createStateBackend } from '../state/state.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import type { Plan } from '../topology/plan.ts';
import { diffLines, diffPlans, type Program, readPlan, topic, topology } from '../topology/topology.ts';
import { appendRecords } from './append-records.testing.ts';
import { DEFAULT_SETTINGS, readTopic, startRun, storedPlan } from './runtime.ts';
import { writeLedger } from './write-ledger.ts';

const TEXT = { key: string(), value: string(), partitions: 1 } as const;
const lefts = topic('lefts', TEXT);
const rights = topic('rights', TEXT);
const out = topic('out', TEXT);
const MESSAGES = { key: string(), value: bytes(), partitions: 1 } as const;
const subscriptions = topic('nf.upgrade.fk.subscriptions.repartition', MESSAGES);
const answers = topic('nf.upgrade.fk.answers.repartition', MESSAGES);
const LEAVINGS = 'fk.leavings';

function build(): Program {
  const app = topology('upgrade');
  app
    .table(lefts, { store: 'lefts' })
    .joinForeign(app.table(rights, { store: 'rights' }), {
      ...{ name: 'fk', store: 'joined', value: string() },
      foreignKey: (value) => (value.startsWith('-') ? null : value.slice(0, 1)),
      merge: (value, row) => `${value}+${row}`,
    })
    .toStream()
    .to(out);
  return app.build();
}

/** As it was before leavings were counted. */
function former(plan: Plan): Plan {
  const read = JSON.parse(JSON.stringify(plan)) as Plan;
  return {
    ...read,
    nodes: read.nodes.map((node) => {
      if (node.kind === 'subscribeForeign') {
        const { leavings: _l, partitions: _p, ...before } = node;
        return before;
      }
      if (node.kind !== 'joinForeign') return node;
      const { names: _, ...before } = node;
      return before;
    }),
    stores: read.stores.filter(({ name }) => name !== LEAVINGS),
    stages: read.stages.map((stage) => ({ ...stage, stores: stage.stores.filter((name) => name !== LEAVINGS) })),
  };
}

const program = build();
const { plan } = program;

test('a plan of before is read, and differs by a new store', () => {
  const before = readPlan(JSON.stringify(former(plan)), 'old.json');
  const diff = diffPlans(before, plan);
  assert.deepEqual(diff.faults, []);
  assert.deepEqual(
    diff.stores.map(({ store, how }) => `${store} ${how}`),
    ['fk.leavings added', 'fk.subscriptions kept', 'joined kept', 'lefts kept', 'rights kept'],
  );
  assert.equal(diffLines(diff)[0], 'store fk.leavings: new, begins empty: what was read already does not come again');
});

async function started(log: Log, of = program) {
  const lines: string[] = [];
  const telemetry = createTelemetry({
    ...{ level: 'info', form: 'json', process: false },
    sink: { write: (line) => void lines.push(String((JSON.parse(line) as { message: string }).message)) },
  });
  const run = await startRun({
    ...{ program: of, log, state: createStateBackend({}), directory: undefined, clock: systemClock, telemetry },
    settings: { ...DEFAULT_SETTINGS, commitIntervalMs: 5 },
  });
  return { run, lines };
}

/** Runs until the newest results are these. */
async function runTo(log: Log, rows: { readonly [key: string]: string }): Promise<readonly string[]> {
  const { run, lines } = await started(log);
  const expected = JSON.stringify(Object.entries(rows));
  for (let found = ''; found !== expected; await systemClock.sleep(5)) {
    const newest = new Map<string, string>();
    await readTopic(log, out, (value, key) => void (value === null ? newest.delete(key) : newest.set(key, value)));
    found = JSON.stringify([...newest].toSorted());
  }
  while (run.progress().lag > 0) await systemClock.sleep(5);
  await run.drain();
  return lines;
}

/** What is in the newest rows of the store of leavings. */
async function leavings(log: Log): Promise<ReadonlySet<string>> {
  const left = new Set<string>();
  const changelog = topic(changelogTopic('upgrade', LEAVINGS), MESSAGES);
  await readTopic(log, changelog, (value, key) => void (value === null ? left.delete(key) : left.add(key)));
  return left;
}

function hashed(first: number, value: string): Buffer {
  const hash = new Int32Array(4);
  const text = Buffer.from(value);
  hash128(text, 0, text.length, hash);
  const message = Buffer.alloc(17);
  message[0] = first;
  for (const [i, part] of hash.entries()) message.writeInt32BE(part, 1 + 4 * i);
  return message;
}

test('an application that runs takes the new plan, and reads what was on its way', { timeout: 240_000 }, async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  for (const { name } of [lefts, rights, out]) await log.admin.create(name, { partitions: 1 });
  await appendRecords(log, rights, [['a', 'r', 1]]);
  await appendRecords(
    log,
    lefts,
    ['k1', 'k2', 'k3'].map((key) => [key, `a${key}`, 2] as const),
  );
  await runTo(log, { k1: 'ak1+r', k2: 'ak2+r', k3: 'ak3+r' });

  // as the engine of before would have left it
  await writeLedger(log, 'upgrade', planRow(0, { plan: former(plan), next: null }));
  await log.admin.delete(changelogTopic('upgrade', LEAVINGS));
  await appendRecords(log, answers, [
    ['k1', hashed(0x11, 'other'), 3],
    ['k2', hashed(0x11, 'ak2'), 3],
    ['k4', Buffer.from('10', 'hex'), 3],
  ]);
  const [leave, leaveAndAnswer] = [Buffer.from('120000000000', 'hex'), Buffer.from('130000000000', 'hex')];
  await appendRecords(log, subscriptions, [
    ['b', Buffer.concat([leave, Buffer.from('k1')]), 3],
    ['b', Buffer.concat([leaveAndAnswer, Buffer.from('k1')]), 3],
  ]);
  await appendRecords(log, lefts, [
    ['k3', null, 4],
    ['k5', 'ak5', 4],
    ['k5', 'bk5', 4],
    ['k5', 'a', 4],
  ]);
  const lines = await runTo(log, { k1: 'ak1+r', k5: 'a+r' });
  assert.ok(lines.includes('store fk.leavings: new, begins empty: what was read already does not come again'));
  assert.deepEqual(await leavings(log), new Set(), 'each leaving was acknowledged, and nothing else');
  const parts = { plan, log, clock: systemClock };
  assert.deepEqual(await storedPlan(parts), plan);
  await log.close();
});

test('a plan of before does not run', async () => {
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  for (const { name } of [lefts, rights, out]) await log.admin.create(name, { partitions: 1 });
  const { run } = await started(log, { ...program, plan: former(plan) });
  await assert.rejects(
    run.finished,
    /has no store of leavings: an earlier version of the engine wrote the plan; build it anew/,
  );
  await log.close();
});
