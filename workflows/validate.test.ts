import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DocumentFault } from './document.ts';
import { FAULTS } from './faults.ts';
import { CASES, doc, edge, step, validate } from './faulty.fixture.ts';
import { MAX_DOCUMENT_BYTES } from './read-json.ts';

for (const [what, [document, expected]] of Object.entries(CASES)) {
  test(`a document: ${what}`, () => {
    assert.deepEqual(told(validate(document)), [...expected].sort());
  });
}

function told(faults: readonly DocumentFault[]): readonly string[] {
  for (const { code, message, cure } of faults) {
    assert.ok(code in FAULTS, code);
    assert.ok(message.length > 8 && /^[A-Z].*[.?}]$/s.test(cure), `${code}: ${message} | ${cure}`);
  }
  return faults.map(({ code, pointer }) => `${code} ${pointer}`).sort();
}

const messagesOf = (document: unknown) => validate(document).map(({ message, cure }) => `${message}. ${cure}`);

test('faults are told in words, with what may have been meant', () => {
  assert.deepEqual(messagesOf(CASES['misspelled']![0]), ['the document has no field versoin. Did you mean version?']);
  assert.deepEqual(messagesOf(CASES['circles']![0]).slice(0, 1), [
    'edges lead in a circle: a > b > c > a. Remove one of the edges, or put what repeats into a node of type loop.',
  ]);
  assert.match(
    messagesOf(CASES['unknown types']![0]).join('\n'),
    /Did you mean expression\?\n.*There are the versions 1, 2\./,
  );
  assert.match(
    messagesOf(CASES['unknown nodes']![0])[0]!,
    /an edge comes from pya, which is not there. Did you mean pay\?/,
  );
  assert.match(
    messagesOf(CASES['kinds that do not fit']![0])[1]!,
    /a.out \(value\) leads to all.in \(dataset\). Put a node/,
  );
  const words = messagesOf(CASES['wrong values of fields']![0]).join('\n');
  assert.match(words, /data.policy.timeout.run of node a must be a span of time such as 200ms/);
  assert.match(words, /data.policy.join of node a must be all, any, all-done/);
});

test('a secret is never repeated', () => {
  assert.doesNotMatch(JSON.stringify(validate(CASES['secrets']![0])), /abcdefghij|AKIA|hidden|shh|0123456789/);
});

test('what is too large, too deep, or contains itself', () => {
  const large = doc([step('a', { data: { config: { value: 'x'.repeat(MAX_DOCUMENT_BYTES) } } })]);
  assert.deepEqual(told(validate(large)), ['workflow.too-large /nodes']);
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  assert.match(told(validate(doc([step('a', { data: { config: { value: deep } } })])))[0]!, /^workflow.too-deep/);
  const circular: { [name: string]: unknown } = { ...doc([step('a')]) };
  circular['ui'] = circular;
  assert.match(told(validate(circular))[0]!, /^workflow.too-deep/);
  const wide = Array.from({ length: 20 }).reduce((inner: unknown) => [inner, inner, inner, inner], 1);
  assert.deepEqual(told(validate(wide)), ['workflow.too-large /0']);
  const proxy = new Proxy(
    {},
    {
      getPrototypeOf: () => {
        throw new Error('never');
      },
    },
  );
  assert.match(told(validate(doc([proxy])))[0]!, /^workflow.not-json/);
});

test('big documents take time by their size alone', { timeout: 240_000 }, () => {
  const chain = Array.from({ length: 5000 }, (_, i) => step(`n${i}`));
  const edges = chain.slice(1).map((node, i) => edge(`n${i}`, node.id));
  assert.deepEqual(validate(doc(chain, edges)), []);
  const circle = validate(doc(chain, [...edges, edge('n4999', 'n0')]));
  assert.deepEqual(told(circle), ['workflow.cycle /nodes/0']);
  const nested = chain.map((node, i) => ({ ...node, parentId: `n${(i + 1) % 5000}` }));
  assert.ok(validate(doc(nested)).length > 100);
  const broken = validate(doc(Array.from({ length: 9000 }, (_, i) => ({ id: `n${i}`, typ: 1 }))));
  assert.equal(broken.length, 201);
  assert.match(broken.at(-1)!.message, /more faults/);
  const hostile = ['eyJ-'.repeat(200_000), 'Bearer'.repeat(100_000), 'a://a:'.repeat(100_000), ' '.repeat(900_000)];
  for (const text of hostile) validate(doc([step('a', { data: { config: { value: text } } })]));
});

test('any JSON, and anything else, is answered', () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true, withNullPrototype: true }),
      (given) => {
        told(validate(given));
      },
    ),
    { seed: 20, numRuns: 300 },
  );
});

test('mutations of documents are answered', () => {
  const documents = Object.values(CASES).map(([document]) => document);
  const paths = (json: unknown, path: readonly string[] = []): (readonly string[])[] =>
    typeof json === 'object' && json !== null
      ? [path, ...Object.entries(json).flatMap(([name, field]) => paths(field, [...path, name]))]
      : [path];
  const set = (json: unknown, [name, ...rest]: readonly string[], to: unknown): unknown => {
    if (name === undefined) return to;
    const of = json as { readonly [name: string]: unknown };
    if (Array.isArray(json)) return json.map((item, i) => (String(i) === name ? set(item, rest, to) : item));
    return { ...of, [name]: set(of[name], rest, to) };
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...documents),
      fc.array(
        fc.tuple(
          fc.nat(),
          fc.oneof(
            fc.jsonValue(),
            fc.constantFrom('a', 'b', 'loop', 'try', '= input.x', '=', '==', '__proto__', null, [], {}),
          ),
        ),
      ),
      (document, changes) => {
        let changed = document;
        for (const [at, to] of changes) {
          const all = paths(changed);
          changed = set(changed, all[at % all.length]!, to);
        }
        told(validate(changed));
      },
    ),
    { seed: 21, numRuns: 1000 },
  );
});
