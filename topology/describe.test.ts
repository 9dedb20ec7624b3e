import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { int64, json, string, windowed } from '../schemas/schemas.ts';
import { describe, hopping, topic, topology } from './topology.ts';

interface Order {
  readonly item: string;
}
const orders = topic('orders', { key: string(), value: json<Order>(), partitions: 4 });
const items = topic('items', { key: string(), value: json<{ name: string }>(), partitions: 2 });
const top = topic('top', { key: windowed(string(), 90_000), value: int64(), partitions: 2 });

function shop() {
  const t = topology('shop');
  const { known, rest } = t.stream(orders).branch({ known: (order) => order.item !== '', rest: true });
  rest.to(topic('rest', { key: string(), value: json<Order>(), partitions: 4 }));
  known
    .selectKey((order) => order.item)
    .repartition({ name: 'by-item', key: string(), partitions: 2 })
    .joinTable(t.table(items, { store: 'items' }), { name: 'with-item', merge: (_order, item) => item.name })
    .groupByKey()
    .window(hopping({ seconds: 90 }, { advance: { seconds: 30 }, grace: { seconds: 5 } }))
    .count({ store: 'per-item' })
    .suppress()
    .toStream()
    .to(top);
  return t.build().plan;
}

for (const [format, file] of [
  ['text', 'shop.txt'],
  ['mermaid', 'shop.mmd'],
  ['dot', 'shop.dot'],
] as const) {
  test(`a plan as ${format} is what the sample says`, () => {
    const sample = readFileSync(new URL(`./samples/${file}`, import.meta.url), 'utf8');
    assert.equal(describe(shop(), format), sample);
  });
}

test('names that a drawing would read as syntax are quoted', () => {
  const plan = { ...shop(), name: 'a"b\\c' };
  assert.match(describe(plan, 'dot'), /^digraph "a\\"b\\\\c" \{/);
});
