import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentTelemetry } from './telemetry.ts';

interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** Reads the text format back, independently of how it was printed. */
function parse(text: string): { samples: Sample[]; types: Map<string, string>; help: Map<string, string> } {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  assert.ok(text === '' || text.endsWith('\n'));
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const into = comment[1] === 'TYPE' ? types : help;
      assert.ok(!into.has(comment[2]!), `${line} stands twice`);
      into.set(comment[2]!, comment[3]!);
      continue;
    }
    const match = /^([a-zA-Z_]\w*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$/.exec(line);
    assert.ok(match !== null, `not a sample: ${line}`);
    const labels: Record<string, string> = {};
    for (const [, name, value] of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[name!] = value!.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
    }
    samples.push({ name: match[1]!, labels, value: match[3] === '+Inf' ? Infinity : Number(match[3]) });
  }
  return { samples, types, help };
}

test('what is printed reads back as it was, also with awkward labels', () => {
  const telemetry = silentTelemetry();
  const awkward = 'a "quoted" \\ back\nline, {brace}=1';
  telemetry.counter('nodeflow_records_total', 'Records\nwith \\ escapes.', { node: awkward }).value += 3;
  telemetry.counter('nodeflow_records_total', 'Records\nwith \\ escapes.', { node: 'b' }).value += 4;
  telemetry.gauge('nodeflow_lag_records', 'Lag.').value = 2.5;
  telemetry.observe('nodeflow_rows', 'Rows.', {}, () => Infinity);
  const { samples, types, help } = parse(telemetry.exposition());
  assert.deepEqual(samples, [
    { name: 'nodeflow_lag_records', labels: {}, value: 2.5 },
    { name: 'nodeflow_records_total', labels: { node: awkward }, value: 3 },
    { name: 'nodeflow_records_total', labels: { node: 'b' }, value: 4 },
    { name: 'nodeflow_rows', labels: {}, value: Infinity },
  ]);
  assert.equal(types.get('nodeflow_records_total'), 'counter');
  assert.equal(help.get('nodeflow_records_total'), 'Records\\nwith \\\\ escapes.');
});

test('a histogram is cumulative, with sum, count and an open bucket', () => {
  const telemetry = silentTelemetry();
  const histogram = telemetry.histogram('nodeflow_commit_seconds', 'Commits.', [0.1, 1], { task: 't_0' });
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value);
  const { samples } = parse(telemetry.exposition());
  const bucket = (le: string) => samples.find((s) => s.labels['le'] === le)!.value;
  assert.deepEqual([bucket('0.1'), bucket('1'), bucket('+Inf')], [2, 3, 4]);
  assert.equal(samples.find((s) => s.name.endsWith('_count'))!.value, 4);
  assert.equal(samples.find((s) => s.name.endsWith('_sum'))!.value, 7.65);
  assert.ok(samples.every((s) => s.labels['task'] === 't_0'));
});

test('the same name and labels give the same metric, whatever the order of labels', () => {
  const telemetry = silentTelemetry();
  const one = telemetry.counter('x_total', 'X.', { a: '1', b: '2' });
  assert.equal(telemetry.counter('x_total', 'X.', { b: '2', a: '1' }), one);
  assert.throws(() => telemetry.gauge('x_total', 'X.', { a: '1', b: '2' }), /is a counter already/);
  assert.throws(() => telemetry.counter('x', 'X.'), /_total/);
  assert.throws(() => telemetry.gauge('x-y', 'X.'), /not a metric name/);
});

test('rows of workers are added up, gauges told apart, and a newer report replaces an older', () => {
  const main = silentTelemetry();
  main.counter('r_total', 'R.').value = 1;
  const worker = silentTelemetry();
  const counter = worker.counter('r_total', 'R.');
  worker.gauge('lag', 'L.', { task: 'a' }).value = 5;
  worker.histogram('h', 'H.', [1]).observe(0.5);
  counter.value = 10;
  main.absorb('1', worker.snapshot());
  counter.value = 20;
  main.absorb('1', worker.snapshot());
  main.absorb('2', worker.snapshot());
  const { samples } = parse(main.exposition());
  assert.equal(samples.find((s) => s.name === 'r_total')!.value, 41);
  assert.equal(samples.find((s) => s.name === 'h_count')!.value, 2);
  assert.deepEqual(
    samples.filter((s) => s.name === 'lag').map((s) => [s.labels['worker'], s.value]),
    [
      ['1', 5],
      ['2', 5],
    ],
  );
});
