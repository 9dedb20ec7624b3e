import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../core/bytes.ts';
import { systemClock } from '../../core/clock.ts';
import { Step } from '../../core/step.ts';
import { BatchBuilder } from '../../log/batch.ts';
import { avro, KnownSchemas, localRegistry, registered, type SchemaRegistry, string } from '../../schemas/schemas.ts';
import { topic } from '../../topology/topology.ts';
import { type ExportRow, type ExportTarget, runExport } from '../export.ts';
import { orderLog, orders } from './orders.fixture.ts';

interface Kept extends ExportTarget {
  readonly rows: ExportRow[];
  positions: readonly number[];
}

/** Keeps rows and positions, for one export after the other. */
function kept(): Kept {
  const target: Kept = {
    description: 'kept',
    guarantee: 'exactly-once',
    rows: [],
    positions: [],
    open: async () => ({
      positions: target.positions,
      async write(rows, next) {
        target.rows.push(...rows);
        target.positions = next;
      },
      finish: async () => undefined,
      close: async () => undefined,
    }),
  };
  return target;
}

const idsOf = ({ rows }: Kept) => rows.map(({ value }) => (value as { readonly id: number }).id);

test('what comes while an export runs to the end is left to the next one', async () => {
  const { log, put } = await orderLog();
  await put(0, 1, 2);
  await put(1, 3);
  const target = kept();
  const options = { log, clock: systemClock, topic: orders, target, until: 'end' } as const;
  const { bounds } = log.admin;
  Object.assign(log.admin, {
    async bounds(name: string, partition: number) {
      const found = await bounds(name, partition);
      await put(partition, 4 + partition);
      return found;
    },
  });
  assert.deepEqual(await runExport(options), { records: 3, how: 'complete' });
  assert.deepEqual(idsOf(target).toSorted(), [1, 2, 3]);
  assert.deepEqual(target.positions, [2, 1]);
  Object.assign(log.admin, { bounds });
  assert.deepEqual(await runExport(options), { records: 2, how: 'complete' });
  assert.deepEqual(idsOf(target).toSorted(), [1, 2, 3, 4, 5]);
});

const V1 = { type: 'record', name: 'Sum', fields: [{ name: 'total', type: 'int' }] } as const;
const V2 = {
  type: 'record',
  name: 'Sum',
  fields: [
    { name: 'note', type: 'string', default: '-' },
    { name: 'total', type: 'long' },
  ],
} as const;

/** A log in which a value of V1 lies, and the topic as it is read with V2 by whoever has not met V1. */
async function newerReader(registry: SchemaRegistry) {
  const format = registered(avro(V2)).registered!;
  const id = await registry.register('sums-value', registered(avro(V1)).registered!.schema);
  const serde = format.bind(
    await registry.register('sums-value', format.schema),
    new KnownSchemas({ registry, clock: systemClock }),
  );
  const { log } = await orderLog();
  await log.admin.create('sums', { partitions: 1 });
  const out = new ByteWriter();
  string().encode('k', out);
  const middle = out.at;
  avro(V1, { id }).encode({ total: 7 }, out);
  const builder = new BatchBuilder(new Step());
  builder.append(1000, out.bytes, 0, middle, out.bytes, middle, out.at);
  const producer = await log.producer({});
  await producer.append('sums', 0, builder.finish());
  await producer.close();
  return { log, sums: topic('sums', { key: string(), value: serde, partitions: 1 }) };
}

test('schemas of writers that are not known are fetched from the registry', async () => {
  const { log, sums } = await newerReader(localRegistry());
  const target = kept();
  const exported = await runExport({ log, clock: systemClock, topic: sums, target, until: 'end' });
  assert.deepEqual(exported, { records: 1, how: 'complete' });
  assert.deepEqual(target.rows[0]!.value, { note: '-', total: 7 });
});

test('it stops while it waits for a registry', async () => {
  const stop = new AbortController();
  const registry = localRegistry();
  const { log, sums } = await newerReader({
    ...registry,
    schema() {
      stop.abort();
      return new Promise(() => undefined);
    },
  });
  const exported = await runExport({ log, clock: systemClock, topic: sums, target: kept(), stop: stop.signal });
  assert.deepEqual(exported, { records: 0, how: 'stopped' });
});
