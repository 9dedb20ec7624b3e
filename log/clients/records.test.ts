import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchView, type Compression, compressBatch, readHeaders } from '../batch.ts';
import { batch, refuses } from '../conformance/bench.conformance.ts';
import { Packer, type PlacedRecord, Unpacker } from './records.ts';

const where = { topic: 'orders', partition: 0 };

function placed(position: number, value: string, headers: PlacedRecord['headers'] = []): PlacedRecord {
  return { position, key: Buffer.from(`k${position}`), value: Buffer.from(value), timestamp: 1000 + position, headers };
}

for (const compression of ['none', 'lz4', 'zstd'] satisfies Compression[]) {
  test(`records of an appended batch come out of it, compressed with ${compression}`, () => {
    const unpacker = new Unpacker();
    const long = 'x'.repeat(200);
    const first = unpacker.open(compressBatch(batch(`a=${long}`, 'b=', '=3'), compression), where);
    unpacker.open(compressBatch(batch(`z=${'y'.repeat(200)}`), compression), where);
    assert.deepEqual(
      first.records.map(({ key, value }) => [key?.toString() ?? null, value?.toString() ?? null]),
      [
        ['a', long],
        ['b', null],
        [null, '3'],
      ],
    );
  });
}

test('what is no whole batch is refused', async () => {
  const unpacker = new Unpacker();
  const open = async (bytes: Buffer) => unpacker.open(bytes, where);
  await refuses('log.corrupt', open(Buffer.alloc(10)));
  const broken = batch('a=1');
  broken[broken.length - 2]! ^= 1;
  assert.match(await refuses('log.corrupt', open(broken)), /orders\/0/);
});

test('records keep their positions, times and headers; a gap ends a batch', () => {
  const headers = [
    { name: 'one', value: Buffer.from('1') },
    { name: 'none', value: null },
  ];
  const { bytes, starts, ends } = new Packer().pack([
    [placed(5, 'a'), placed(6, 'b', headers), placed(9, 'c')],
    [placed(10, 'd')],
  ]);
  const view = new BatchView();
  const found: unknown[][] = [];
  for (let i = 0; i < starts.length; i++) {
    view.open(bytes, starts[i]!, ends[i]!, where);
    for (let r = 0; r < view.count; r++) {
      const value = view.bytes.toString('utf8', view.valueStarts[r]!, view.valueEnds[r]!);
      found.push([view.positions[r], view.timestamps[r], value]);
    }
    if (i === 0) assert.deepEqual(readHeaders(view.bytes, view.headerStarts[1]!, view.bodyEnds[1]!), headers);
  }
  assert.deepEqual(found, [
    [5, 1005, 'a'],
    [6, 1006, 'b'],
    [9, 1009, 'c'],
    [10, 1010, 'd'],
  ]);
  assert.equal(starts.length, 3);
});

test('nothing packs to nothing; many loose records to several batches', () => {
  const packer = new Packer();
  assert.deepEqual(packer.packLoose([]).starts, []);
  const many = Array.from({ length: 100 }, (_, i) => placed(i, 'x'.repeat(2000)));
  const { starts } = packer.packLoose(many);
  assert.ok(starts.length > 1 && starts.length < 10);
});
