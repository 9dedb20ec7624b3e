import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A mistake, and what the compiler must say of it. */
const MISTAKES: readonly (readonly [code: string, sentence: string])[] = [
  ['stale.groupByKey();', 'the key changed: call repartition(...) before groupByKey'],
  ["stale.toTable({ store: 's' });", 'the key changed: call repartition(...) before toTable'],
  ['stale.joinTable(customers, { merge });', 'the key changed: call repartition(...) before joinTable'],
  ['stale.leftJoinTable(customers, { merge });', 'the key changed: call repartition(...) before leftJoinTable'],
  ['orders.joinTable(few, { merge });', 'partition counts differ: call repartition(...) with the count of the table'],
  [
    'orders.joinTable(numbered, { merge });',
    'key types differ: selectKey(...) and repartition(...) to the key of the table',
  ],
  [
    "orders.joinTable(customers, { merge, name: 'n', grace: 5 });",
    'only a table with history can be joined with grace: give the table a history',
  ],
  ['orders.joinTable(kept, { merge, grace: 5 });', "'name' is missing"],
  [
    "stale.joinStream(orders, { name: 'a', within, merge });",
    'the key changed: call repartition(...) before joinStream',
  ],
  [
    "orders.leftJoinStream(stale, { name: 'b', within, merge });",
    'partition counts differ, or the key of the other stream changed: call repartition(...) on it',
  ],
  [
    "orders.outerJoinStream(t.stream(numberedTopic), { name: 'c', within, merge });",
    'key types differ: selectKey(...) and repartition(...) one stream to the key of the other',
  ],
  ['orders.to(customersTopic);', "Property 'tier' is missing"],
];

const PREAMBLE = `
import { json, int64, string } from ${JSON.stringify(join(root, 'schemas/schemas.ts'))};
import { topic, topology } from ${JSON.stringify(join(root, 'topology/topology.ts'))};
const t = topology('mistakes');
const customersTopic = topic('customers', { key: string(), value: json<{ tier: string }>(), partitions: 12 });
const customers = t.table(customersTopic, { store: 'a' });
const kept = t.table(topic('kept', { key: string(), value: json<object>(), partitions: 12 }), { store: 'd', history: 9 });
const few = t.table(topic('few', { key: string(), value: json<object>(), partitions: 6 }), { store: 'b' });
const numbered = t.table(topic('numbered', { key: int64(), value: json<object>(), partitions: 12 }), { store: 'c' });
const orders = t.stream(topic('orders', { key: string(), value: json<{ customer: string }>(), partitions: 12 }));
const stale = orders.selectKey((order) => order.customer);
const merge = () => 1;
const within = { before: 0, after: 0 };
const numberedTopic = topic('numbered-too', { key: int64(), value: json<object>(), partitions: 12 });
`;

test('the compiler tells each mistake in a sentence', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sentences-'));
  try {
    const file = join(folder, 'mistakes.mts');
    writeFileSync(file, PREAMBLE + MISTAKES.map(([code]) => code).join('\n'));
    const compilerOptions = { rewriteRelativeImportExtensions: false, typeRoots: [join(root, 'node_modules/@types')] };
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['mistakes.mts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
    const errors = stdout.split(/^(?=\S)/m).filter((error) => error.includes('mistakes.mts'));
    assert.equal(errors.length, MISTAKES.length, stdout);
    MISTAKES.forEach(([code, sentence], index) => {
      assert.ok(errors[index]!.includes(sentence), `${code}\n${errors[index]}`);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
