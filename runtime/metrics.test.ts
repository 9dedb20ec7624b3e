import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { metricReference } from '../cli/metric-reference.ts';
import { systemClock, VirtualClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { topology as define, generator, int64, json, string, topic } from '../index.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { createStateBackend } from '../state/state.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { METRICS, type MetricName, type MetricSpec } from './metric-table.ts';
import { MetricSet } from './metrics.ts';
import { DEFAULT_SETTINGS, type RunSettings, startRun } from './runtime.ts';
import { SkipLog } from './skip-log.ts';
import { WorkerReport } from './worker-report.ts';

const ORDERS = 1000;
const orders = topic('orders', { key: string(), value: json<{ n: number }>(), partitions: 2 });
const counts = topic('counts', { key: string(), value: int64(), partitions: 2 });

/** Half of the orders pass the filter; of these every fiftieth fails. */
function shop(count = ORDERS) {
  const app = define('shop');
  const read = { name: 'made', keySerde: string(), value: json<{ n: number }>() };
  app
    .read(generator({ count, make: (n) => ({ n }) }), { ...read, key: ({ n }) => `k${n % 7}`, time: ({ n }) => n })
    .to(orders);
  app
    .stream(orders)
    .filter(({ n }) => n % 2 === 0)
    .mapValues((order) => {
      if (order.n % 100 === 0) throw new Error('no hundreds');
      return order;
    })
    .groupByKey()
    .count({ store: 'per-key' })
    .toStream()
    .to(counts);
  return app.build();
}

function setUp() {
  const lines: { [name: string]: unknown }[] = [];
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const telemetry = createTelemetry({ level: 'info', form: 'json', process: false, sink });
  const log = createMemoryLog({ clock: systemClock, random: seededRandom(3) });
  let skewMs = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skewMs };
  const start = (program: ReturnType<typeof shop>, settings: Partial<RunSettings> = {}) =>
    startRun({
      ...{ program, log, clock, telemetry, directory: undefined, state: createStateBackend({}) },
      settings: { ...DEFAULT_SETTINGS, onFailure: 'dead-letter', commitIntervalMs: 5, sliceRecords: 100, ...settings },
    });
  const skew = (ms: number) => {
    skewMs += ms;
  };
  return { telemetry, lines, log, start, skew };
}

function sum(telemetry: Telemetry, name: MetricName, labels: { readonly [label: string]: string } = {}): number {
  return telemetry
    .snapshot()
    .filter((row) => row.name === name && Object.entries(labels).every(([label, value]) => row.labels[label] === value))
    .reduce((total, row) => total + row.values[0]!, 0);
}

test('after a known job every count is as it must be', async () => {
  const { telemetry, lines, log, start } = setUp();
  const since = systemClock.monotonic();
  const run = await start(shop());
  const { records } = await run.finished;
  const seconds = Math.ceil((systemClock.monotonic() - since) / 1000);
  const node = (name: string) => sum(telemetry, 'nodeflow_node_records_total', { node: name });
  const into = shop().plan.nodes.map(({ id, kind }) => [kind, node(id)]);
  assert.deepEqual(into, [
    ['read', ORDERS],
    ['to', ORDERS],
    ['source', ORDERS],
    ['filter', ORDERS],
    ['mapValues', 500],
    ['aggregate', 500],
    ['toStream', 490],
    ['to', 490],
  ]);
  assert.equal(records, 2 * ORDERS);
  assert.equal(sum(telemetry, 'nodeflow_application_records_total'), records);
  assert.equal(sum(telemetry, 'nodeflow_task_records_total'), records);
  assert.equal(sum(telemetry, 'nodeflow_dead_letters_total', { reason: 'failed' }), 10);
  assert.equal(sum(telemetry, 'nodeflow_dropped_records_total', { reason: 'failed' }), 10);
  const commits = sum(telemetry, 'nodeflow_commits_total');
  assert.ok(commits >= 2);
  assert.equal(sum(telemetry, 'nodeflow_commit_duration_seconds'), commits);
  const written = telemetry.snapshot().find((row) => row.name === 'nodeflow_commit_records')!;
  assert.ok(written.values[1]! >= ORDERS + 490 + 10, 'the records of all epochs');
  assert.deepEqual(run.health(), { ready: false, degraded: undefined, ill: undefined });
  assert.equal(sum(telemetry, 'nodeflow_worker_tasks'), 0);
  const said = (message: string) => lines.filter((line) => line['message'] === message);
  for (const line of lines) assert.equal(line['application'], 'shop');
  assert.equal(said('run started').length, 1);
  assert.equal(said('run complete')[0]!['records'], records);
  assert.deepEqual(
    said('task ended').map((line) => line['task']),
    said('task opened').map((line) => line['task']),
  );
  const letters = lines.filter((line) => String(line['message']).startsWith('record put among the dead letters'));
  assert.equal(
    letters.reduce((total, line) => total + Number(line['count']), 0),
    10,
  );
  assert.ok(letters.length <= 2 * (seconds + 1), 'one line a node and second, and one at the end of each task');
  await log.close();
});

test('what is shown has names, labels and types of the table, and every metric of the table is shown', async () => {
  const { telemetry, log, start } = setUp();
  const first = await start(shop(20_000));
  while (first.progress().records < 2000) await systemClock.turn();
  await first.drain();
  const second = await start(shop(20_000));
  while (!second.health().ready) await systemClock.turn();
  const shown = telemetry.snapshot();
  const text = telemetry.exposition();
  await second.finished;
  await log.close();
  for (const { name, type, labels } of shown) {
    const spec: MetricSpec | undefined = METRICS[name as MetricName];
    assert.ok(spec !== undefined, `${name} is in the table`);
    assert.equal(type, spec.type, name);
    assert.deepEqual(Object.keys(labels).sort(), [...spec.labels].sort(), name);
    if (type === 'counter') assert.match(name, /_total$/);
  }
  const names = new Set(shown.map((row) => row.name));
  const missing = Object.keys(METRICS).filter((name) => !names.has(name) && !/^nodeflow_(log|registry)_/.test(name));
  const calls = ['nodeflow_calls_in_flight', 'nodeflow_calls_total', 'nodeflow_call_duration_seconds'];
  // there where functions are called, see calls.test.ts, while a restore goes on, see below, and where there are standbys, see standby.test.ts
  const others = ['nodeflow_standby_lag_records', 'nodeflow_standby_records_total'];
  // where a source clamps times, see record-time.test.ts
  const clamped = 'nodeflow_clamped_times_total';
  // where a task fails again and again, see quarantine.test.ts
  const quarantine = ['nodeflow_task_open_failures_total', 'nodeflow_quarantines_total', 'nodeflow_task_quarantined'];
  // where a node has several inputs
  const byInput = 'nodeflow_input_records_total';
  assert.deepEqual(missing, [
    ...quarantine,
    byInput,
    clamped,
    ...calls,
    'nodeflow_restore_remaining_records',
    ...others,
  ]);
  assert.ok(sum(telemetry, 'nodeflow_restore_records_total') > 0, 'the second run has restored');
  const sample = /^[a-z_]+(\{([a-z_]+="(\\.|[^"\\])*",?)+\})? (NaN|[+-]Inf|-?[0-9.]+(e[+-]?[0-9]+)?)$/;
  for (const line of text.trimEnd().split('\n')) {
    if (!line.startsWith('#')) assert.match(line, sample);
    else assert.match(line, /^# (HELP [a-z_]+ \S.*|TYPE [a-z_]+ (counter|gauge|histogram))$/);
  }
});

test('a run is ready when its tasks are, and ill when a worker stands still', async () => {
  const { log, start, skew } = setUp();
  await log.admin.create('orders', { partitions: 2 });
  const app = define('follower');
  app.stream(orders).to(topic('copies', { key: string(), value: json<{ n: number }>(), partitions: 2 }));
  const run = await start(app.build());
  while (!run.health().ready) await systemClock.turn();
  assert.equal(run.health().ill, undefined);
  skew(11_000);
  assert.match(run.health().ill ?? '', /^worker 0 has stood still for 1[1-9]\d\d\d ms$/);
  assert.equal(run.health().ready, false);
  while (run.health().ill !== undefined) await systemClock.sleep(1);
  assert.equal(run.health().ready, true);
  await run.drain();
  assert.equal(run.health().ready, false);
  await log.close();
});

test('a restore shows what is left, keeps the watchdog quiet, and leaves its duration', () => {
  const { telemetry, lines } = setUp();
  const clock = new VirtualClock();
  const report = new WorkerReport({
    metrics: new MetricSet(telemetry, { application: 'shop' }),
    log: telemetry.log,
    clock,
    budget: { maxBytes: 100, usedBytes: 7 },
    isPaused: () => false,
  });
  clock.advance(9000);
  report.restoring('t_0', 'per-key', 400, 900);
  assert.equal(report.silentMs, 0);
  assert.ok(Number.isNaN(sum(telemetry, 'nodeflow_restore_remaining_seconds')));
  clock.advance(4000);
  report.restoring('t_0', 'per-key', 800, 900);
  assert.equal(lines.length, 0);
  assert.equal(sum(telemetry, 'nodeflow_restore_remaining_seconds'), 1);
  clock.advance(1000);
  report.restoring('t_0', 'per-key', 800, 900);
  const { message, ...told } = lines.at(-1)!;
  assert.equal(message, 'restoring state');
  const { tasks, done, left, perSecond, secondsLeft } = told;
  assert.deepEqual(
    { tasks, done, left, perSecond, secondsLeft },
    { tasks: 1, done: 400, left: 100, perSecond: 80, secondsLeft: 2 },
  );
  assert.equal(sum(telemetry, 'nodeflow_restore_remaining_records', { task: 't_0', store: 'per-key' }), 100);
  assert.equal(sum(telemetry, 'nodeflow_state_used_bytes'), 7);
  report.restored('t_0', 900, 12_000);
  report.restoreEnded('t_0');
  assert.doesNotMatch(telemetry.exposition(), /nodeflow_restore_remaining_records/);
  assert.equal(sum(telemetry, 'nodeflow_restore_remaining_seconds'), 0);
  assert.equal(sum(telemetry, 'nodeflow_restore_duration_seconds', { task: 't_0' }), 12);
  assert.equal(lines.at(-1)!['message'], 'state restored');
  clock.advance(2500);
  assert.equal(sum(telemetry, 'nodeflow_worker_silent_seconds'), 2.5);
  report.close();
  assert.doesNotMatch(telemetry.exposition(), /nodeflow_worker_silent_seconds/);
});

test('skipped records are told once a node and second, with their count', () => {
  const { telemetry, lines } = setUp();
  const clock = new VirtualClock();
  const skips = new SkipLog(telemetry.log, clock);
  const told = () => lines.splice(0).map((line) => `${line['node']} ${line['count']} ${line['message']}`);
  for (let n = 0; n < 5; n++) skips.add('a', {}, `no ${n}`);
  skips.add('b', {}, 'other');
  assert.deepEqual(told(), ['a 1 no 0', 'b 1 other']);
  clock.advance(1000);
  assert.deepEqual(told(), ['a 4 no 4']);
  clock.advance(5000);
  assert.deepEqual(told(), []);
  skips.add('a', {}, 'late');
  skips.add('a', {}, 'later');
  skips.close();
  assert.deepEqual(told(), ['a 1 late', 'a 1 later']);
  clock.advance(5000);
  assert.deepEqual(told(), []);
});

test('docs/metrics.md is as the code says', () => {
  const file = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8');
  assert.equal(file, metricReference(), 'run npm run docs');
});
