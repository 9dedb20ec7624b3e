import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { isFlowError } from '../../core/errors.ts';
import { csvFile, type Source } from '../connectors.ts';
import { CsvParser } from './csv-parser.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csv-'));
});
after(() => rm(folder, { recursive: true }));

async function file(text: string | Uint8Array): Promise<string> {
  const path = join(folder, 'data.csv');
  await writeFile(path, text);
  return path;
}

async function rows<T>(source: Source<T>, from = 0, max = 2): Promise<{ rows: T[]; positions: number[] }> {
  const [split] = await source.splits();
  const reader = await source.open(split!, from);
  const all: T[] = [];
  const positions: number[] = [];
  try {
    for (let batch = await reader.next(max); batch !== undefined; batch = await reader.next(max)) {
      for (let i = 0; i < batch.count; i++) {
        all.push(batch.at(i));
        positions.push(batch.positionAfter(i));
      }
    }
  } finally {
    await reader.close();
  }
  return { rows: all, positions };
}

const broken =
  (...parts: string[]) =>
  (thrown: Error) =>
    isFlowError(thrown, 'file.broken') && parts.every((part) => thrown.message.includes(part));

const field = fc.oneof(fc.string({ maxLength: 12 }), fc.stringMatching(/^[",\r\na é]{0,8}$/));
const table = fc
  .nat({ max: 4 })
  .chain((width) =>
    fc.array(fc.array(field, { minLength: width + 2, maxLength: width + 2 }), { minLength: 1, maxLength: 8 }),
  );

test('records survive writing and reading, however the bytes are cut', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), cuts, (records, eol, last, cuts) => {
      const text = records.map((fields) => fields.map(quoted).join(',')).join(eol) + (last ? eol : '');
      const parser = new CsvParser('x.csv');
      const read: (readonly string[])[] = [];
      const bytes = Buffer.from(text);
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = cuts[i % cuts.length]!;
        parser.push(bytes.subarray(at, at + size));
        at += size;
        for (const record of parser.take()) read.push(record.fields);
      }
      parser.end();
      for (const record of parser.take()) read.push(record.fields);
      assert.deepStrictEqual(read, records);
    }),
    { seed: 3, numRuns: 1000 },
  );
});

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

test('columns are chosen and typed; the position is the row', async () => {
  const path = await file(
    '\ufeffid,name,size,ok\r\n1,"a,b",1.5,true\r\n2,,-3e2,false\r\n\r\n3,"say ""hi""\nthere",0,true\r\n',
  );
  const source = csvFile<{ id: number; size: number; name: string | null }>(path, {
    columns: ['size', 'id', 'name'],
    types: { id: 'number', size: 'number', name: 'string?' },
  });
  const whole = await rows(source);
  assert.deepStrictEqual(whole.rows, [
    { size: 1.5, id: 1, name: 'a,b' },
    { size: -300, id: 2, name: null },
    { size: 0, id: 3, name: 'say "hi"\nthere' },
  ]);
  assert.deepStrictEqual(whole.positions, [1, 2, 3]);
  for (const from of [0, 1, 2, 3, 9]) assert.deepStrictEqual((await rows(source, from)).rows, whole.rows.slice(from));
  const bare = csvFile<{ a: string; b: string }>(await file('1,2\n3,4'), { header: false, columns: ['a', 'b'] });
  assert.deepStrictEqual((await rows(bare)).rows, [
    { a: '1', b: '2' },
    { a: '3', b: '4' },
  ]);
});

test('a file larger than one read is read whole', async () => {
  const path = await file(`n,text\n${Array.from({ length: 20_000 }, (_, i) => `${i},"é ${i}"\n`).join('')}`);
  const { rows: read } = await rows(csvFile(path), 0, 999);
  assert.equal(read.length, 20_000);
  assert.deepStrictEqual(read[19_999], { n: '19999', text: 'é 19999' });
});

test('what is wrong is named with its line', async () => {
  const cases: [string, ...string[]][] = [
    ['a,b\n1,2\n3\n', 'line 3', '1 fields where 2'],
    ['a,b\n"1\n2",2\n3\n', 'line 4'],
    ['a,b\n1,"2\n3,4\n', 'line 2', 'never closed'],
    ['a,b\n1,"2"x\n', 'line 2', 'closing quote'],
    ['a,b\n1,2"x\n', 'line 2', 'quote within'],
    ['a,a\n1,2\n', 'line 1', 'twice'],
    ['', 'empty'],
  ];
  for (const [text, ...parts] of cases)
    await assert.rejects(rows(csvFile(await file(text))), broken('data.csv', ...parts));
  const path = await file('a,b\n1,x\n');
  await assert.rejects(
    rows(csvFile<{ b: number }>(path, { types: { b: 'number' } })),
    broken('line 2', 'column b', '"x"'),
  );
  await assert.rejects(rows(csvFile<{ c: string }>(path, { columns: ['c'] })), broken('no column c', 'a, b'));
  await assert.rejects(
    csvFile(join(folder, 'none.csv')).splits(),
    (thrown: Error) => isFlowError(thrown, 'file.missing') && thrown.message.includes('none.csv'),
  );
  await assert.rejects(csvFile(folder).splits(), broken('not a file'));
});
