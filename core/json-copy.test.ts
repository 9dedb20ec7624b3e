import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonCopy } from './json-copy.ts';
import { seededRandom } from './random.ts';

class Point {
  x = 1;
  readonly #hidden = 2;
  get sum() {
    return this.x + this.#hidden;
  }
}

const LEAVES: readonly unknown[] = [
  ...[null, true, false, 0, -0, 1, -1.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY, undefined],
  ...['', 'text', 'ä"\\\n\0', '\ud800', '__proto__', Symbol('one'), () => 1],
  ...[new Date(5), new Point(), new Map([[1, 2]]), Object(1), Object('boxed'), new Uint8Array(2), /x/],
  { toJSON: () => ({ given: [1] }) },
  { toJSON: () => undefined },
  JSON.parse('{"__proto__":{"a":1},"b":2}'),
  Object.assign(Object.create({ inherited: 1 }), { own: 1 }),
  Object.assign(Object.create(null), { bare: 1 }),
];

/** Lists and objects of leaves, with holes and names of all kinds. */
function anything(next: () => number, depth: number): unknown {
  const pick = Math.floor(next() * (depth > 0 ? 4 : 2));
  if (pick < 2) return LEAVES[Math.floor(next() * LEAVES.length)];
  const size = Math.floor(next() * 4);
  if (pick === 2) {
    const list = Array.from({ length: size }, () => anything(next, depth - 1));
    if (next() < 0.2) list.length++;
    return list;
  }
  const names = ['a', 'b', '10', '2', 'constructor', 'ä', 'length', '__proto__'];
  const found: { [name: string]: unknown } = {};
  for (let i = 0; i < size; i++) {
    const value = anything(next, depth - 1);
    Object.defineProperty(found, names[Math.floor(next() * names.length)]!, {
      ...{ value, enumerable: next() < 0.9, configurable: true, writable: true },
    });
  }
  return found;
}

/** Own fields in their order, and prototypes. */
function shape(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : value;
  if (Array.isArray(value)) return value.map(shape);
  const fields = Reflect.ownKeys(value).map((name) => [name, shape(Reflect.get(value, name))]);
  return { plain: Object.getPrototypeOf(value) === Object.prototype, fields };
}

test('a copy is what comes back from the text', () => {
  for (let seed = 0; seed < 3000; seed++) {
    const value = anything(seededRandom(seed).next, 4);
    const text: string | undefined = JSON.stringify(value);
    const { value: copy } = jsonCopy(value);
    assert.deepEqual(shape(copy), text === undefined ? undefined : shape(JSON.parse(text)), `seed ${seed}`);
  }
});

test('nothing of it is shared', () => {
  const value = { list: [{ a: 1 }] };
  const { value: copy } = jsonCopy(value);
  value.list[0]!.a = 2;
  assert.deepEqual(copy, { list: [{ a: 1 }] });
});

test('characters are those of names and texts, wherever they lie', () => {
  assert.equal(jsonCopy({ ab: 'cde', f: [1, 'gh', { ijk: null }] }).characters, 2 + 3 + 1 + 2 + 3);
  const large = jsonCopy({ at: new Date(0), text: 'x'.repeat(100_000) }).characters;
  assert.ok(large >= 100_000 && large < 100_100);
});

test('what has no JSON fails as there', () => {
  const circle: { [name: string]: unknown } = {};
  circle['again'] = [circle];
  for (const value of [circle, { big: 1n }]) {
    const thrown = (work: () => unknown) => {
      try {
        work();
      } catch (error) {
        return (error as Error).constructor;
      }
      return undefined;
    };
    assert.equal(
      thrown(() => jsonCopy(value)),
      TypeError,
    );
    assert.equal(
      thrown(() => JSON.stringify(value)),
      TypeError,
    );
  }
});

test('deep ones are copied whole', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 500; i++) deep = { deep };
  assert.deepEqual(jsonCopy(deep).value, deep);
});
