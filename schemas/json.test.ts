import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from '../core/bytes.ts';
import { isFlowError } from '../core/errors.ts';
import { json, toPlain } from './schemas.ts';

const RUNS = { seed: 7, numRuns: 2000 };
const FIELDS = ['a', 'b', 'längst', 'tab\t', ''] as const;
type Doc = { [Name in (typeof FIELDS)[number]]: unknown };
const serde = json<Doc>({ fields: FIELDS });

const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r\n');
const numberText = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '0.5',
    '-12.25',
    '1e3',
    '1E-7',
    '123456789012345',
    '1234567890123456789',
    '0.1234567890123456',
    '1.7976931348623157e308',
    '9007199254740993',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.tuple(fc.integer(), fc.nat({ max: 99999 })).map(([whole, part]) => `${whole}.${part}`),
);
const escaped = fc
  .string({ unit: 'binary', maxLength: 8 })
  .map((text) =>
    [...text].map((c) => (c.length === 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c)).join(''),
  );
const valueText = fc.oneof(
  numberText,
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value, null, 2)),
  escaped.map((text) => `"${text}"`),
);
const nameText = fc.oneof(
  fc.constantFrom(...FIELDS).map((name) => JSON.stringify(name)),
  fc.constantFrom('"\\u0061"', '"\\u0062"', '"l\\u00e4ngst"', '"tab\\u0009"', '"\\"a\\":1"'),
  fc.string().map((name) => JSON.stringify(name)),
);
const documents = fc
  .tuple(fc.array(fc.tuple(nameText, valueText, space, space), { maxLength: 7 }), space, space)
  .map(
    ([entries, before, after]) =>
      `${before}{${after}${entries.map(([name, value, s, t]) => `${s}${name}${t}:${s}${value}${t}`).join(',')}}${after}`,
  );

function inArena(text: string | Uint8Array): [Buffer, number, number] {
  const bytes = Buffer.from(text as string);
  return [Buffer.concat([Buffer.from('{"a":9'), bytes, Buffer.from('","b":2}')]), 6, 6 + bytes.length];
}

test('a view reads its fields as JSON.parse does', () => {
  fc.assert(
    fc.property(documents, (text) => {
      const whole = JSON.parse(text) as Record<string, unknown>;
      const expected = Object.fromEntries(
        FIELDS.map((name) => [name, Object.hasOwn(whole, name) ? whole[name] : undefined]),
      );
      const [bytes, start, end] = inArena(text);
      const view = serde.view()(bytes, start, end);
      assert.deepStrictEqual({ ...view }, expected);
      assert.deepStrictEqual(serde.decode(bytes, start, end), expected);
      assert.equal(JSON.stringify(view), JSON.stringify(expected));
      assert.deepStrictEqual(json().decode(bytes, start, end), whole);
    }),
    RUNS,
  );
});

test('a view moved from document to document finds its fields in any order, among texts of any length', () => {
  const names = ['a', 'b', 'längst', 'tab\t', '', 'other', 'a"', 'ab'];
  const letters = fc.constantFrom(
    'x',
    'Z',
    '/',
    ' ',
    '!',
    '#',
    '"',
    '\\',
    '[',
    '\u001f',
    'é',
    '{',
    '\u007f',
    '\u0080',
    '😀',
  );
  const texts = fc.string({ unit: letters, maxLength: 24 });
  const entries = fc.array(fc.tuple(fc.constantFrom(...names), texts), { maxLength: 8 });
  const view = serde.view();
  let before = '{}';
  fc.assert(
    fc.property(entries, space, fc.boolean(), (fields, gap, again) => {
      const text = `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${gap}${JSON.stringify(value)}`).join(',')}}`;
      for (const each of again ? [text, before, text] : [text]) {
        const [bytes, start, end] = inArena(each);
        assert.deepStrictEqual({ ...view(bytes, start, end) }, serde.decode(bytes, start, end));
      }
      before = text;
    }),
    RUNS,
  );
});

test('no byte of a control character passes in a text of any length', () => {
  for (let length = 1; length < 20; length++) {
    for (let at = 0; at < length; at++) {
      const [bytes, start, end] = inArena(`{"other":"${'x'.repeat(at)}\n${'x'.repeat(length - at)}","a":1}`);
      assert.throws(
        () => serde.view()(bytes, start, end).a,
        (thrown) => isFlowError(thrown, 'schema.mismatch'),
      );
    }
  }
});

test('broken documents give values or schema.mismatch; what is broken at the top never passes', () => {
  let refused = 0;
  fc.assert(
    fc.property(documents, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), (text, place, byte, cut) => {
      const broken = Buffer.from(text);
      const at = place % broken.length;
      if (!cut) broken[at] = byte;
      const [bytes, start, end] = inArena(cut ? broken.subarray(0, at) : broken);
      const view = attempt(() => toPlain(serde.view()(bytes, start, end)));
      const decoded = attempt(() => serde.decode(bytes, start, end));
      if (decoded === 'refused') refused++;
      else assert.deepStrictEqual(view, decoded);
      if (cut && text.trimEnd().length > at) assert.equal(view, 'refused');
    }),
    RUNS,
  );
  assert.ok(refused > 100, `${refused} were refused`);
});

test('encode writes JSON, and copies the bytes of an untouched view with all they hold', () => {
  const out = new ByteWriter(1);
  json<unknown>().encode({ a: 'é"\n', b: [1, null] }, out);
  assert.equal(out.take().toString(), '{"a":"é\\"\\n","b":[1,null]}');
  out.clear();
  const [bytes, start, end] = inArena('{ "x":1, "a" : 2 }');
  serde.encode(serde.view()(bytes, start, end), out);
  assert.equal(out.take().toString(), '{ "x":1, "a" : 2 }');
  out.clear();
  serde.encode({ ...serde.view()(bytes, start, end), b: 3 }, out);
  assert.equal(out.take().toString(), '{"a":2,"b":3}');
});

test('what is no object is decoded whole; what JSON cannot hold is schema.mismatch', () => {
  const view = serde.view();
  for (const text of ['[1,2]', ' null', '"x"', '3']) {
    const [bytes, start, end] = inArena(text);
    assert.deepStrictEqual(view(bytes, start, end), JSON.parse(text));
  }
  for (const value of [undefined, 1n, () => 1]) {
    assert.throws(
      () => json<unknown>().encode(value, new ByteWriter()),
      (thrown) => isFlowError(thrown, 'schema.mismatch'),
    );
  }
});

test('a message shows no more than 64 characters of a document', () => {
  const [bytes, start, end] = inArena(`{"a": ${'secret'.repeat(100)}}`);
  assert.throws(
    () => serde.view()(bytes, start, end).a,
    (thrown: Error) => isFlowError(thrown, 'schema.mismatch') && thrown.message.length < 160,
  );
  assert.throws(
    () => json().decode(bytes, start, end),
    (thrown: Error) => thrown.message.length < 160,
  );
});

function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (thrown) {
    if (isFlowError(thrown, 'schema.mismatch')) return 'refused';
    throw thrown;
  }
}
