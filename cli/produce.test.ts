import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { say, withFileLog } from './testing.fixture.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-produce-'));
after(() => rmSync(cwd, { recursive: true }));
await withFileLog(cwd, async (log) => {
  for (const topic of ['json', 'plain', 'numbers', 'pairs', 'raw', 'large', 'bad', 'copy', 'given']) {
    await log.admin.create(topic, { partitions: 2, ...(topic === 'bad' ? { maxMessageBytes: 1000 } : {}) });
  }
  await log.admin.create('orders', { partitions: 4 });
});

const produce = (args: readonly string[], ...input: readonly string[]) => say(cwd, ['produce', ...args], {}, input);
async function consume(...args: readonly string[]) {
  const said = await say(cwd, ['consume', ...args, '--json']);
  assert.equal(said.code, 0, said.err.join('\n'));
  return said.out.map((line) => JSON.parse(line));
}

test('lines of JSON become records, with their timestamp and headers', async () => {
  const said = await produce(
    ['json', '--json'],
    '{"key":"a","value":{"n":1},"timestamp":1000,"headers":{"h":"ä","none":null}}\n\n',
    '{"key":"a","va',
    'lue":null,"timestamp":"2026-01-01T00:00:00Z"}\r\n{"value":3}',
  );
  assert.equal(said.code, 0, said.err.join('\n'));
  assert.deepEqual(JSON.parse(said.out[0]!), { topic: 'json', records: 3 });
  const rows = await consume('json');
  assert.deepEqual(
    rows.filter(({ key }) => key === 'a').map(({ value, timestamp, headers }) => ({ value, timestamp, headers })),
    [
      { value: { n: 1 }, timestamp: 1000, headers: { h: 'ä', none: '' } },
      { value: null, timestamp: Date.parse('2026-01-01T00:00:00Z'), headers: undefined },
    ],
  );
  assert.deepEqual(
    rows.filter(({ key }) => key === null).map(({ value, timestamp }) => ({ value, timestamp })),
    [{ value: 3, timestamp: 0 }],
  );
});

test('keys go where the engine expects them, or everything to one partition', async () => {
  await produce(['orders'], ...['a', 'b', 'c', 'd', 'e'].map((key) => `{"key":"${key}","value":1}\n`));
  const rows = await consume('orders');
  // As Kafka's own partitioner has it.
  assert.deepEqual(Object.fromEntries(rows.map(({ key, partition }) => [key, partition])), {
    a: 0,
    b: 0,
    c: 2,
    d: 1,
    e: 2,
  });
  assert.equal((await produce(['given', '--partition', '1'], '{"key":"a","value":1}\n{"value":2}\n')).code, 0);
  assert.deepEqual(
    (await consume('given')).map(({ partition }) => partition),
    [1, 1],
  );
});

test('a topic is made for an application to read, with what it keeps', async () => {
  const made = await say(cwd, ['topics', 'create', 'fresh', '--partitions', '3', '--retention', '7d', '--json']);
  assert.equal(made.code, 0, made.err.join('\n'));
  const { settings } = JSON.parse(made.out[0]!);
  assert.deepEqual([settings.partitions, settings.cleanup, settings.retentionMs], [3, 'delete', 7 * 86_400_000]);
  assert.deepEqual((await say(cwd, ['topics', 'create', 'newest', '--compact'])).out, [
    'made topic newest, partitions: 1',
  ]);
  assert.equal((await produce(['fresh'], '{"key":"a","value":1}')).code, 0);
  assert.equal((await consume('fresh')).length, 1);
  const refused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['fresh'], /topic fresh exists .*\[topic\.exists\]/],
    [['a/b'], /a\/b/],
    [['x', '--partitions', '0'], /--partitions takes a count, not 0/],
    [['x', '--retention', 'long'], /--retention takes a span such as 7d, not long/],
    [[], /topics takes list, or describe or create and a topic/],
  ];
  for (const [args, message] of refused) {
    const said = await say(cwd, ['topics', 'create', ...args]);
    assert.equal(said.code, 2, said.out.join('\n'));
    assert.match(said.err.join('\n'), message);
  }
});

test('consume begins at a position or at a time', async () => {
  const late = await consume('json', '--key', 'a', '--from', '2026-01-01T00:00:00Z');
  assert.deepEqual(
    late.map(({ value }) => value),
    [null],
  );
  const [first] = await consume('json', '--key', 'a');
  const rest = await consume('json', '--from', '1', '--partition', String(first.partition));
  assert.ok(rest.length >= 1 && rest.every(({ position }) => position >= 1));
  assert.match(
    (await say(cwd, ['consume', 'json', '--from', 'noon'])).err[0]!,
    /--from takes start, end, a position, or a time/,
  );
});

test('what consume prints can be given to produce', async () => {
  const said = await say(cwd, ['consume', 'json', '--json']);
  assert.equal((await produce(['copy'], ...said.out.map((line) => `${line}\n`))).code, 0);
  const bare = (rows: readonly object[]) =>
    rows.map((row) => JSON.stringify({ ...row, topic: '', partition: 0, position: 0 })).sort();
  assert.deepEqual(bare(await consume('copy')), bare(await consume('json')));
});

test('plain lines, keys before a separator, numbers and bytes', async () => {
  assert.equal(
    (await produce(['plain', '--plain', '--value-serde', 'string'], 'one\n\nthree')).out[0],
    'wrote 3 records to plain',
  );
  const values = (await consume('plain', '--value-serde', 'string')).map(({ value }) => value);
  assert.deepEqual(values.sort(), ['', 'one', 'three']);
  await produce(['pairs', '--key-separator', '::'], 'k::{"a":1}\n::2\n');
  assert.deepEqual((await consume('pairs')).map(({ key, value }) => [key, value]).sort(), [
    ['', 2],
    ['k', { a: 1 }],
  ]);
  await produce(['numbers', '--key-separator', '=', '--key-serde', 'int32', '--value-serde', 'double'], '7=1.5\n');
  const numbers = await consume('numbers', '--key-serde', 'int32', '--value-serde', 'double');
  assert.deepEqual(
    numbers.map(({ key, value }) => [key, value]),
    [[7, 1.5]],
  );
  await produce(['raw', '--value-serde', 'bytes'], '{"key":"k","value":"AAH/"}\n');
  assert.deepEqual(
    (await consume('raw', '--value-serde', 'bytes')).map(({ value }) => value),
    ['AAH/'],
  );
});

test('a topology says the serdes', async () => {
  writeFileSync(
    join(cwd, 'counts.mjs'),
    `import { int64, string, topic, topology as define } from '${new URL('../index.ts', import.meta.url).href}';
export const topology = define('counts');
topology.stream(topic('given', { key: string(), value: int64(), partitions: 2 })).filter(() => true)
  .to(topic('out', { key: string(), value: int64(), partitions: 2 }));
`,
  );
  const wrong = await produce(['given', '--topology', 'counts.mjs'], '{"key":"a","value":"x"}\n');
  assert.match(wrong.err[0]!, /line 1: its value does not fit: .*int64.*; choose another with --value-serde/);
});

test('many records in large batches', async () => {
  const lines = Array.from(
    { length: 5000 },
    (_, n) => `{"key":"k${n % 7}","value":{"n":${n},"x":"${'y'.repeat(200)}"}}\n`,
  );
  assert.equal((await produce(['large', '--json'], ...lines)).out[0], '{"topic":"large","records":5000}');
  const rows = await consume('large', '--key', 'k3');
  assert.deepEqual(
    rows.map(({ value }) => value.n),
    Array.from({ length: 714 }, (_, i) => 3 + 7 * i),
  );
});

const WRONG: readonly (readonly [string, readonly string[], string, RegExp])[] = [
  ['no JSON', [], '{"key":', /it is no JSON; use --plain/],
  ['no object', [], '[1]', /it is no object with key and value/],
  [
    'an unknown field',
    [],
    '{"key":"a","vlaue":1}',
    /it has a field vlaue; a record has key, value, timestamp, headers/,
  ],
  ['no value', [], '{"key":"a"}', /it has no value; a value of null deletes its key/],
  ['a wrong timestamp', [], '{"value":1,"timestamp":"noon"}', /its timestamp "noon" is neither/],
  ['a wrong header', [], '{"value":1,"headers":{"a":1}}', /its header a is 1, not a text/],
  ['a key that does not fit', [], '{"key":1,"value":1}', /its key does not fit: .*string.*--key-serde/],
  ['a value too large', [], `{"value":"${'x'.repeat(2000)}"}`, /it has 2002 bytes where bad takes 1000/],
  ['no separator', ['--key-separator', '='], 'a', /there is no "=" behind its key/],
  ['no number', ['--plain', '--value-serde', 'int64'], 'two', /"two" is no number, as int64 needs/],
];
for (const [name, args, line, message] of WRONG) {
  test(`a line with ${name} is named, and what stands before it is written`, async () => {
    const good = args.length === 0 ? '{"key":"a","value":1}' : args.includes('--plain') ? '1' : 'a=1';
    const before = (await consume('bad', '--value-serde', 'bytes')).length;
    const said = await produce(['bad', ...args], `${good}\n${good}\n${line}\n${good}\n`);
    assert.equal(said.code, 2);
    assert.match(
      said.err[0]!,
      /line 3: .*; the 2 records before it are written, nothing from it on \[input\.invalid\]/,
    );
    assert.match(said.err[0]!, message);
    assert.equal((await consume('bad', '--value-serde', 'bytes')).length, before + 2);
  });
}

test('wrong topics, partitions and options', async () => {
  assert.match((await produce(['jsn'], '1\n')).err[0]!, /there is no topic jsn; did you mean json\?/);
  assert.match((await produce(['json', '--partition', '2'])).err[0]!, /json has partitions 0 to 1, not 2/);
  assert.match((await produce(['json', '--key-separator', ''])).err[0]!, /--key-separator takes a text/);
  assert.equal((await produce(['json'], '')).out[0], 'wrote 0 records to json');
});
