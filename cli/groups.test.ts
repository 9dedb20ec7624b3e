import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { durationInWords, durationOf, momentOf } from './duration.ts';
import { say, withFileLog } from './testing.fixture.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-groups-'));
after(() => rmSync(cwd, { recursive: true }));

const HOUR = 3_600_000;
const T0 = Date.parse('2026-01-01T00:00:00Z');
const INTERNAL = ['run', 'n.changelog', 'source.orders.progress'];

before(async () => {
  const at = (n: number) => `{"value":${n},"timestamp":${T0 + n * HOUR}}\n`;
  await withFileLog(cwd, async ({ admin }) => {
    for (const topic of ['orders', 'other', 'counts', 'gone']) await admin.create(topic, { partitions: 2 });
    for (const name of ['shop', 'shop.two']) {
      for (const internal of INTERNAL) await admin.create(`nf.${name}.${internal}`, { partitions: 2 });
    }
  });
  for (const partition of ['0', '1']) {
    const lines = [0, 1, 2, 3, 4].map(at);
    const said = await say(cwd, ['produce', 'orders', '--partition', partition], {}, lines);
    assert.equal(said.code, 0, said.err.join('\n'));
  }
  await withFileLog(cwd, async ({ admin }) => {
    const positions = [
      { topic: 'orders', partition: 0, position: 1, metadata: 'run 1' },
      { topic: 'orders', partition: 1, position: 5, metadata: 'run 1' },
    ];
    for (const group of ['shop', 'shop.two', 'reader']) await admin.setPositions(group, positions);
    const rows = { topic: 'nf.shop.source.orders.progress', partition: 0, position: 700, metadata: 'run 1' };
    await admin.setPositions('shop', [rows, { topic: 'gone', partition: 0, position: 3, metadata: '' }]);
  });
});

async function told(...args: readonly string[]) {
  const said = await say(cwd, [...args, '--json']);
  assert.equal(said.code, 0, said.err.join('\n'));
  return said.out.map((line) => JSON.parse(line));
}
const positions = async (group: string) =>
  Object.fromEntries(
    (await told('groups', group))[0].partitions.map(
      ({ topic, partition, position }: { topic: string; partition: number; position: number }) => [
        `${topic}/${partition}`,
        position,
      ],
    ),
  );

test('groups are listed, and one tells how far it is behind, in records and in time', async () => {
  assert.deepEqual(await told('groups'), [
    { group: 'reader', state: 'empty', members: 0, partitions: 2, application: false },
    { group: 'shop', state: 'empty', members: 0, partitions: 4, application: true },
    { group: 'shop.two', state: 'empty', members: 0, partitions: 2, application: true },
  ]);
  const [reader] = await told('groups', 'reader');
  assert.deepEqual(reader, {
    ...{ group: 'reader', state: 'empty', generation: 0, members: [] },
    partitions: [
      {
        ...{ topic: 'orders', partition: 0, position: 1, end: 5, lag: 4 },
        ...{ next: T0 + HOUR, newest: T0 + 4 * HOUR, lagMs: 3 * HOUR, ageMs: 0 },
      },
      {
        ...{ topic: 'orders', partition: 1, position: 5, end: 5, lag: 0 },
        ...{ next: null, newest: null, lagMs: 0, ageMs: null },
      },
    ],
    ...{ sources: [], lag: 4, lagMs: 3 * HOUR, ageMs: 0 },
  });
  const text = (await say(cwd, ['groups', 'reader'])).out;
  assert.equal(text[0], 'group reader: empty');
  assert.match(text.join('\n'), /^orders +0 +1 +5 +4 +3 h +0 ms$/m);
  assert.match(text.at(-1)!, /^total: 4 positions not read, up to 3 h behind the newest/);
  assert.match(
    (await say(cwd, ['groups', 'raeder'])).err[0]!,
    /no group raeder; did you mean reader\? \[group\.missing\]/,
  );
});

test('rows of a connector are no places in a topic', async () => {
  const [shop] = await told('groups', 'shop');
  assert.deepEqual(shop.sources, [{ stage: 'source.orders', split: 0, rows: 700 }]);
  assert.equal(shop.partitions.length, 3);
});

test('positions are shown first, and set with --yes only', async () => {
  const shown = (await say(cwd, ['reset', 'reader', '--to-earliest'])).out;
  assert.match(shown.join('\n'), /^orders +0 +1 +0 +1 +read again$/m);
  assert.match(shown.at(-1)!, /nothing was done yet; give the command again with --yes/);
  assert.deepEqual(await positions('reader'), { 'orders/0': 1, 'orders/1': 5 });
  const [done] = await told('reset', 'reader', '--to-earliest', '--yes');
  assert.deepEqual(done, {
    ...{ group: 'reader', done: true, members: [] },
    partitions: [
      { topic: 'orders', partition: 0, from: 1, to: 0, records: 1, effect: 'read again' },
      { topic: 'orders', partition: 1, from: 5, to: 0, records: 5, effect: 'read again' },
    ],
  });
  assert.deepEqual(await positions('reader'), { 'orders/0': 0, 'orders/1': 0 });
  assert.match(
    (await say(cwd, ['reset', 'reader', '--to-latest', '--yes'])).out.join('\n'),
    /0 positions are read again, 10 are skipped/,
  );
  await told('reset', 'reader', '--to-datetime', '2026-01-01T02:30:00Z', '--yes');
  assert.deepEqual(await positions('reader'), { 'orders/0': 3, 'orders/1': 3 });
  await told('reset', 'reader', '--by-duration', '1h', '--yes');
  assert.deepEqual(await positions('reader'), { 'orders/0': 0, 'orders/1': 0 });
  await told('reset', 'reader', '--to-latest', '--topic', 'other', '--yes');
  assert.deepEqual(await positions('reader'), { 'orders/0': 0, 'orders/1': 0, 'other/0': 0, 'other/1': 0 });
});

test('of an application only positions in topics of others are set, and stores are spoken of', async () => {
  const said = await say(cwd, ['reset', 'shop.two', '--to-earliest']);
  assert.match(said.out.join('\n'), /the stores of shop\.two stay as they are.*--all forgets them too/);
  const [shop] = await told('reset', 'shop', '--to-latest');
  assert.deepEqual(new Set(shop.partitions.map(({ topic }: { topic: string }) => topic)), new Set(['orders', 'gone']));
});

test('an application is forgotten, another whose name goes on behind a dot is not', async () => {
  const [shown] = await told('reset', 'shop', '--all');
  assert.deepEqual(
    { ...shown, positions: 0 },
    {
      application: 'shop',
      done: false,
      members: [],
      topics: INTERNAL.map((name) => `nf.shop.${name}`).sort(),
      positions: 0,
    },
  );
  const said = await say(cwd, ['reset', 'shop', '--all', '--yes']);
  assert.equal(said.out.at(-1), 'done: all of this is forgotten');
  const left = (await told('topics', '--internal')).map(({ topic }) => topic);
  assert.deepEqual(left, [
    'counts',
    'gone',
    ...INTERNAL.map((name) => `nf.shop.two.${name}`).sort(),
    'orders',
    'other',
  ]);
  assert.deepEqual(
    (await told('groups')).map(({ group }) => group),
    ['reader', 'shop.two'],
  );
  assert.match((await say(cwd, ['reset', 'shop', '--all'])).err[0]!, /there is no group shop/);
});

const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [['reader'], /say where to: --to-earliest/],
  [['reader', '--to-earliest', '--to-latest'], /--to-earliest and --to-latest exclude one another/],
  [['reader', '--all', '--to-latest'], /--all forgets everything/],
  [['reader', '--to-latest', '--outputs'], /--outputs goes with --all/],
  [['reader', '--all', '--outputs'], /--outputs needs --topology/],
  [['reader', '--to-datetime', '2026-01-01T00:00:00'], /--to-datetime takes a time with its zone/],
  [['reader', '--by-duration', '10'], /--by-duration takes a span such as 30min/],
  [['reader', '--to-latest', '--topic', 'ordres'], /there is no topic ordres/],
  [['raeder', '--to-latest'], /there is no group raeder; did you mean reader\?/],
];
for (const [args, message] of WRONG) {
  test(`refuses reset ${args.join(' ')}`, async () => {
    const said = await say(cwd, ['reset', ...args]);
    assert.equal(said.code, 2);
    assert.deepEqual(said.out, []);
    assert.match(said.err[0]!, message);
  });
}

test('spans and moments', () => {
  assert.deepEqual(['5s', '1.5h', '2d', '250ms', '3 min', '0s', '5', 'x'].map(durationOf), [
    ...[5000, 5_400_000, 172_800_000, 250, 180_000],
    ...[undefined, undefined, undefined],
  ]);
  assert.deepEqual([0, 999, 1000, 1500, 90_000, 7_200_000, 100_000_000].map(durationInWords), [
    ...['0 ms', '999 ms', '1 s', '1.5 s', '1.5 min', '2 h', '1.2 d'],
  ]);
  assert.equal(momentOf('2026-01-01T01:00:00+01:00'), T0);
  assert.equal(momentOf('2026-01-01'), T0);
  assert.equal(momentOf('12'), 12);
  assert.equal(momentOf('soon'), undefined);
});
