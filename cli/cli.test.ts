import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { COMMANDS } from './commands/table.ts';
import { say } from './testing.fixture.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-cli-'));
after(() => rmSync(cwd, { recursive: true }));

const root = new URL('..', import.meta.url).href;
writeFileSync(
  join(cwd, 'shop.mjs'),
  `import { generator, int64, json, string, topic, topology as define } from '${root}index.ts';
const orders = topic('orders', { key: string(), value: json(), partitions: 2 });
const counts = topic('counts', { key: string(), value: int64(), partitions: 2 });
export const topology = define('shop');
topology.read(generator({ count: 100, make: (n) => ({ who: 'k' + (n % 3), n }) }), {
  name: 'made', key: (o) => o.who, keySerde: string(), value: json(), time: (o) => o.n,
}).to(orders);
topology.stream(orders).groupByKey().count({ store: 'n' }).toStream().to(counts);
export const broken = define('broken');
broken.stream(topic('x', { key: string(), value: json(), partitions: 2 })).groupByKey().count({ store: '' });
export const other = 5;
`,
);
writeFileSync(join(cwd, 'mistake.mjs'), 'export const topology = ;');
writeFileSync(join(cwd, 'throws.mjs'), `throw new Error('password=canary-77 in the module');`);

test('help tells about every command, and each command about its options', async () => {
  const all = await say(cwd, ['help']);
  assert.equal(all.code, 0);
  // what a command does stands beside its name, however much it takes
  assert.ok(all.out.some((line) => /^ {2}execution \.{3} {2,40}Starts executions/.test(line)));
  for (const { name } of COMMANDS) {
    assert.ok(
      all.out.some((line) => line.includes(name)),
      name,
    );
    const one = await say(cwd, ['help', name]);
    assert.equal(one.code, 0);
    assert.deepEqual(one, await say(cwd, [name, '--help']));
  }
});

test('describe prints text, Mermaid, DOT and JSON', async () => {
  assert.match((await say(cwd, ['describe', 'shop.mjs'])).out.join('\n'), /orders/);
  assert.match((await say(cwd, ['describe', 'shop.mjs', '--format', 'mermaid'])).out[0]!, /^(flowchart|graph)/);
  assert.match((await say(cwd, ['describe', 'shop.mjs', '--format=dot'])).out[0]!, /^digraph/);
  const json = JSON.parse((await say(cwd, ['describe', 'shop.mjs', '--json'])).out.join(''));
  assert.equal(json.name, 'shop');
});

test('plan diff tells what becomes of state between modules and stored plans, by text, JSON and exit code', async () => {
  writeFileSync(join(cwd, 'old.json'), (await say(cwd, ['describe', 'shop.mjs', '--json'])).out.join(''));
  const same = await say(cwd, ['plan', 'diff', 'old.json', 'shop.mjs']);
  assert.deepEqual(same, { code: 0, out: ['the plans are the same: all state carries over'], err: [] });
  const text = readFileSync(join(cwd, 'shop.mjs'), 'utf8');
  writeFileSync(join(cwd, 'renamed.mjs'), text.replace("store: 'n'", "store: 'total'"));
  writeFileSync(join(cwd, 'other.mjs'), text.replaceAll('partitions: 2', 'partitions: 3'));
  const renamed = await say(cwd, ['plan', 'diff', 'old.json', 'renamed.mjs', '--rename', 'n=total']);
  assert.equal(renamed.code, 0);
  assert.match(renamed.out[0]!, /^store total: renamed from n,/);
  const refused = await say(cwd, ['plan', 'diff', 'old.json', 'other.mjs', '--json']);
  assert.equal(refused.code, 2);
  const diff = JSON.parse(refused.out[0]!);
  assert.deepEqual(diff.stores, [{ store: 'n', was: 'n', how: 'refused', notes: [], records: null }]);
  assert.match(diff.faults[0].why, /2 partitions and are to lie in 3/);
  const wrong = await say(cwd, ['plan', 'diff', 'old.json', 'renamed.mjs', '--rename', 'n']);
  assert.deepEqual(
    [wrong.code, wrong.err],
    [2, ['nodeflow: --rename takes old=new, two names of a store, not n [option.unknown]']],
  );
  assert.equal((await say(cwd, ['plan', 'diff', 'none.json', 'shop.mjs'])).code, 2);
  assert.equal((await say(cwd, ['plan', 'merge', 'old.json', 'shop.mjs'])).code, 2);
});

test('run shows and does what plan diff says, and orphans lists and deletes what is left', async () => {
  const data = ['--data', join(cwd, 'evolving'), '--set', 'logging.level=info'];
  assert.equal((await say(cwd, ['run', 'shop.mjs', ...data])).code, 0);
  const [line] = (await say(cwd, ['plan', 'diff', 'renamed.mjs', '--rename', 'n=total', ...data])).out;
  assert.match(line!, /^store total: renamed from n, .*\(\d+ records\)$/);
  const ran = await say(cwd, ['run', 'renamed.mjs', '--rename', 'n=total', ...data]);
  assert.equal(ran.code, 0);
  assert.ok(
    ran.err.some((said) => said.includes('store total: renamed from n')),
    ran.err.join(),
  );
  const left = await say(cwd, ['plan', 'orphans', 'renamed.mjs', ...data]);
  assert.match(left.out[0]!, /^topic nf\.shop\.n\.changelog: \d+ records$/);
  assert.match(left.out[1]!, /--yes$/);
  assert.equal(
    (await say(cwd, ['plan', 'orphans', 'renamed.mjs', '--yes', ...data])).out[1],
    'done: all of this is deleted',
  );
  assert.deepEqual((await say(cwd, ['plan', 'orphans', 'renamed.mjs', ...data])).out, ['shop has left nothing behind']);
  const more = readFileSync(join(cwd, 'renamed.mjs'), 'utf8').replaceAll('partitions: 2', 'partitions: 3');
  writeFileSync(join(cwd, 'more.mjs'), more);
  const refused = await say(cwd, ['run', 'more.mjs', ...data]);
  assert.equal(refused.code, 2);
  assert.match(refused.err.join(), /plan\.incompatible/);
});

test('plan diff refuses a schema that cannot read the rows that there are, as the start would', async () => {
  const program = (
    fields: string,
    name: string,
  ) => `import { avro, generator, int64, json, string, topic, topology as define } from '${root}index.ts';
const orders = topic('sales', { key: string(), value: json(), partitions: 2 });
export const topology = define('sales');
topology.read(generator({ count: 10, make: (n) => ({ n }) }), {
  name: 'made', key: (o) => 'k' + o.n, keySerde: string(), value: json(), time: (o) => o.n,
}).to(orders);
const value = avro({ type: 'record', name: 'Sum', fields: [${fields}] });
topology.stream(orders).groupByKey().aggregate({
  store: '${name}', value, initial: () => ({ sum: 0, note: '' }), add: (row, { n }) => ({ ...row, sum: row.sum + n }),
});
`;
  const sum = `{ name: 'sum', type: 'long' }`;
  const write = (file: string, fields: string, name = 'sums') => writeFileSync(join(cwd, file), program(fields, name));
  write('sales.mjs', sum);
  write('wider.mjs', `${sum}, { name: 'note', type: 'string', default: '' }`);
  write('unfit.mjs', `${sum}, { name: 'note', type: 'string' }`, 'totals');
  const data = ['--data', join(cwd, 'sold')];
  assert.equal((await say(cwd, ['run', 'sales.mjs', ...data])).code, 0);
  const rename = ['--rename', 'sums=totals'];
  for (const from of [['sales.mjs'], []]) {
    const where = from.length === 0 ? data : [];
    const taken = await say(cwd, ['plan', 'diff', ...from, 'wider.mjs', ...where]);
    assert.deepEqual([taken.code, taken.err], [0, []], taken.out.join());
    const refused = await say(cwd, ['plan', 'diff', ...from, 'unfit.mjs', ...rename, ...where]);
    assert.equal(refused.code, 2);
    const told = refused.out.join('\n');
    assert.match(told, /store totals.*could not be read any more: Sum\.note was not written, and has no default/);
    assert.match(told, /correct that field, give the store another name/);
    const json = await say(cwd, ['plan', 'diff', ...from, 'unfit.mjs', ...rename, ...where, '--json']);
    assert.equal((JSON.parse(json.out[0]!) as { stores: { how: string }[] }).stores[0]!.how, 'refused');
  }
  const started = await say(cwd, ['run', 'unfit.mjs', ...rename, ...data]);
  assert.match(started.err.join(), /Sum\.note was not written.*\[state\.schema\]/);
});

test('init writes a project and does not write over another', async () => {
  const first = await say(cwd, ['init', 'starter', '--json']);
  assert.equal(first.code, 0);
  const { files } = JSON.parse(first.out[0]!) as { files: string[] };
  assert.deepEqual(readdirSync(join(cwd, 'starter')).sort(), [...files].sort());
  const second = await say(cwd, ['init', 'starter']);
  assert.equal(second.code, 2);
  assert.match(second.err[0]!, /has .*package\.json.* already; name another folder \[config\.invalid\]/);
});

test('version prints the version', async () => {
  assert.match((await say(cwd, ['version'])).out[0]!, /^\d+\.\d+\.\d+/);
  assert.match((await say(cwd, ['--version'])).out[0]!, /^\d+\.\d+\.\d+/);
});

const WRONG: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['unknown command', ['rnu'], 2, /unknown command rnu; did you mean run\?; see nodeflow help \[option\.unknown\]/],
  ['unknown option', ['run', 'shop.mjs', '--wrokers', '2'], 2, /unknown option --wrokers; did you mean workers/],
  ['missing value', ['run', 'shop.mjs', '--workers'], 2, /--workers needs a value: <count>/],
  ['missing word', ['run'], 2, /what is missing: <file>/],
  ['a word too many', ['version', 'now'], 2, /unexpected word now/],
  ['missing file', ['run', 'gone.mjs'], 2, /there is no file .*gone\.mjs; check the path \[file\.missing\]/],
  ['a folder for a file', ['describe', '.'], 2, /is no file/],
  ['a module without topology', ['describe', 'shop.mjs', '--name', 'other'], 2, /exports no topology named other/],
  ['an invalid topology', ['describe', 'shop.mjs', '--name', 'broken'], 2, /\[plan\.invalid\]/],
  [
    'unknown configuration key',
    ['run', 'shop.mjs', '--set', 'run.wrokers=2'],
    2,
    /did you mean run\.workers.*\[config\.invalid\]/,
  ],
  [
    'unknown serde',
    ['consume', 'orders', '--value-serde', 'jsn'],
    2,
    /there is no serde jsn; did you mean json\?; there are bytes, /,
  ],
  [
    'unknown format',
    ['describe', 'shop.mjs', '--format', 'svg'],
    2,
    /--format takes text, mermaid, dot, json, not svg/,
  ],
  ['no data folder', ['topics', '--data', 'nowhere'], 2, /there is no data folder .*nowhere; name it with --data/],
  ['a module that throws', ['describe', 'throws.mjs'], 2, /throws\.mjs cannot be loaded: .* in the module; correct/],
  ['a module with a mistake', ['run', 'mistake.mjs'], 2, /mistake\.mjs cannot be loaded: .*token.*; correct/],
  [
    'workflows that throw',
    ['serve', 'throws.mjs'],
    2,
    /throws\.mjs cannot be loaded: .*; correct the module \[file\.broken\]/,
  ],
  ['workflows with a mistake', ['serve', 'mistake.mjs'], 2, /mistake\.mjs cannot be loaded: .*token.*; correct/],
];
for (const [name, args, code, message] of WRONG) {
  test(`one message and exit code ${code} for ${name}`, async () => {
    const said = await say(cwd, args);
    assert.equal(said.code, code);
    assert.match(said.err.join('\n'), message);
    assert.deepEqual(said.out, []);
    if (name !== 'an invalid topology') assert.equal(said.err.length, 1, said.err.join('\n'));
    assert.doesNotMatch(said.err.join('\n'), /^ +at /m);
    assert.doesNotMatch(said.err.join('\n'), /canary/);
    const verbose = await say(cwd, [...args, '--verbose']);
    assert.match(verbose.err.join('\n'), /^ +at /m);
    assert.doesNotMatch(verbose.err.join('\n'), /canary/);
  });
}

test('with --json an error is one JSON line on standard error', async () => {
  const said = await say(cwd, ['run', 'gone.mjs', '--json']);
  assert.equal(said.err.length, 1);
  assert.equal(JSON.parse(said.err[0]!).error, 'file.missing');
});
