import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { literalOf } from './literal.ts';
import { say } from './testing.fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'nodeflow-schemas-'));
after(() => rmSync(root, { recursive: true }));

const ORDER = {
  type: 'record',
  name: 'shop.Order',
  doc: 'An order\'s head, with "quotes".',
  fields: [
    { name: 'id', type: 'string' },
    {
      name: 'lines',
      type: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'n', type: 'int' }] } },
    },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
};
const folder = join(root, 'schemas');
const write = (name: string, schema: unknown) => writeFileSync(join(folder, name), JSON.stringify(schema));

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'inner'), { recursive: true });
  write('order.avsc', ORDER);
  write('inner/id.avsc', { type: 'fixed', name: 'id', size: 16 });
});

test('a module stands beside each schema, and gives its serde and its type', async () => {
  const made = await say(root, ['schemas', 'generate', 'schemas']);
  assert.deepEqual([made.code, made.out], [0, ['2 schemas, 2 modules written']]);
  const text = readFileSync(join(folder, 'order.ts'), 'utf8');
  assert.match(text, /^\/\/ Written from order\.avsc by `nodeflow schemas generate`/);
  assert.match(text, /export const order = avro\(schema\);\nexport type Order = FromAvro<typeof schema>;\n$/);
  const engine = new URL('../index.ts', import.meta.url).href;
  writeFileSync(join(folder, 'order.ts'), text.replace('@nodeflow/engine', engine));
  const { order } = (await import(join(folder, 'order.ts'))) as { order: { name: string } };
  assert.match(order.name, /^avro:shop\.Order#/);
  assert.match(readFileSync(join(folder, 'inner', 'id.ts'), 'utf8'), /export const idSerde = .*\nexport type id = /);
});

test('--check fails on drift, naming the modules, and writes nothing', async () => {
  const missing = await say(root, ['schemas', 'generate', 'schemas', '--check']);
  assert.equal(missing.code, 2);
  assert.match(missing.err.join(), /2 of 2 modules are not what their schemas give: inner\/id\.ts, order\.ts/);
  assert.ok(!existsSync(join(folder, 'order.ts')));
  await say(root, ['schemas', 'generate', 'schemas']);
  assert.equal((await say(root, ['schemas', 'generate', 'schemas', '--check'])).code, 0);
  write('order.avsc', { ...ORDER, fields: [] });
  const changed = await say(root, ['schemas', 'generate', 'schemas', '--check']);
  assert.match(
    changed.err.join(),
    /1 of 2 modules .*: order\.ts; run nodeflow schemas generate schemas \[schema\.drift\]/,
  );
});

test('what was written for a schema that is gone goes too; what others wrote stays', async () => {
  await say(root, ['schemas', 'generate', 'schemas']);
  rmSync(join(folder, 'inner', 'id.avsc'));
  assert.equal((await say(root, ['schemas', 'generate', 'schemas', '--check'])).code, 2);
  await say(root, ['schemas', 'generate', 'schemas']);
  assert.ok(!existsSync(join(folder, 'inner', 'id.ts')));
  writeFileSync(join(folder, 'order.ts'), 'export const mine = 1;\n');
  const refused = await say(root, ['schemas', 'generate', 'schemas']);
  assert.match(refused.err.join(), /order\.ts was not written by `nodeflow schemas generate`, and would be lost/);
});

test('what cannot be generated names the file', async () => {
  write('bad.avsc', { type: 'record', name: 'Bad', fields: [{ name: 'x', type: 'nonsense' }] });
  const invalid = await say(root, ['schemas', 'generate', 'schemas']);
  assert.match(invalid.err.join(), /bad\.avsc: Avro schema, at Bad\.x: .*\[schema\.invalid\]/);
  writeFileSync(join(folder, 'bad.avsc'), '{');
  assert.match((await say(root, ['schemas', 'generate', 'schemas'])).err.join(), /bad\.avsc is no JSON/);
  assert.match((await say(root, ['schemas', 'generate', 'nowhere'])).err.join(), /there is no folder .*nowhere/);
  assert.equal((await say(root, ['schemas', 'rewrite', 'schemas'])).code, 2);
});

test('a literal is the JSON that it was made from', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = literalOf(value);
      const evaluate = new Function(`return (${text});`) as () => unknown;
      assert.deepEqual(JSON.parse(JSON.stringify(evaluate())), JSON.parse(JSON.stringify(value)));
    }),
    { seed: 11, numRuns: 300 },
  );
});
