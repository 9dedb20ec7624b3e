import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { workflow } from './builder.ts';
import { choose, step } from './builder-steps.ts';
import type { Output } from './builder-types.ts';
import { canonicalText, documentHash } from './canonical.ts';
import { compileDocument } from './compile.ts';
import { createCatalog } from './create-catalog.ts';
import type { EdgeSpec, NodeSpec, WorkflowDocument } from './document.ts';
import { EXPRESSIONS } from './expressions.ts';
import { builtInTypes } from './nodes/built-in.ts';
import { validateDocument } from './validate.ts';

const settings = { catalog: createCatalog(builtInTypes()), expressions: EXPRESSIONS };

/** A random graph: each node is a merge or a switch, and takes from some that stand before it. */
const shapes = fc.array(
  fc.record({
    isSwitch: fc.boolean(),
    from: fc.uniqueArray(fc.nat(20), { maxLength: 4 }),
    port: fc.boolean(),
    join: fc.constantFrom('any', 'all-done'),
  }),
  { minLength: 1, maxLength: 20 },
);
type Shape = readonly {
  readonly isSwitch: boolean;
  readonly from: readonly number[];
  readonly port: boolean;
  readonly join: string;
}[];

const sourcesOf = (from: readonly number[], index: number) => from.filter((each) => each < index);

function built(shape: Shape): WorkflowDocument {
  const flow = workflow('random', { version: '1.0.0' });
  const outputs: Output<unknown>[] = [];
  for (const [i, { isSwitch, from, port, join }] of shape.entries()) {
    const sources = sourcesOf(from, i).map((each) => outputs[each]!);
    const joined = { sources, join: join as 'any' };
    const wiring = sources.length === 0 ? {} : { in: sources.length === 1 ? sources[0]! : joined };
    if (isSwitch) {
      const node = flow.node(`n${i}`, choose({ yes: 'value != null' }), wiring);
      outputs.push(port ? node.yes : node.else);
    } else outputs.push(flow.node(`n${i}`, step('merge'), wiring).out);
  }
  return flow.document();
}

/** The same, as somebody writes it: defaults written out here, left out there. */
function written(shape: Shape): WorkflowDocument {
  const port = (i: number) => (shape[i]!.isSwitch ? (shape[i]!.port ? 'yes' : 'else') : i % 2 === 0 ? 'out' : null);
  const nodes = shape.map(({ isSwitch, from, join }, i): NodeSpec => {
    const config = isSwitch ? { config: { cases: [{ when: 'value != null', port: 'yes' }] } } : {};
    const policy = sourcesOf(from, i).length > 1 ? { policy: { join: join as 'any' } } : {};
    const data = { ...policy, ...config };
    const type = isSwitch ? 'switch' : 'merge';
    return { position: { x: i, y: 0 }, id: `n${i}`, type, ...(Object.keys(data).length === 0 ? {} : { data }) };
  });
  const edges = shape.flatMap(({ from }, i) =>
    sourcesOf(from, i).map(
      (each): EdgeSpec => ({
        target: `n${i}`,
        source: `n${each}`,
        sourceHandle: port(each),
        ...(i % 3 === 0 ? { targetHandle: 'in', data: { kind: 'data' } } : {}),
      }),
    ),
  );
  return { edges, nodes, version: '1.0.0', name: 'random', id: 'random', apiVersion: 'nodeflow/v1' };
}

test('builder and document give equal hashes; a printed document compiles to the same graph', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const [a, b] = [built(shape), written(shape)];
      assert.deepEqual(validateDocument(a, settings), []);
      assert.deepEqual(validateDocument(b, settings), []);
      assert.equal(canonicalText(a), canonicalText(b));
      assert.equal(documentHash(a), documentHash(b));
      const printed = JSON.parse(JSON.stringify(a)) as WorkflowDocument;
      const [first, second] = [a, printed].map((document) => compileDocument(document, settings));
      assert.equal(JSON.stringify(first), JSON.stringify(second));
      const canonical = JSON.parse(canonicalText(b)) as WorkflowDocument;
      assert.equal(documentHash(canonical), documentHash(b));
    }),
    { seed: 22, numRuns: 150 },
  );
});

test('a graph is well formed: edges from both ends', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const graph = compileDocument(written(shape), settings);
      for (const node of graph.nodes) {
        for (const edge of node.outgoing) assert.equal(graph.edges[edge]!.source, node.number);
        for (const edge of node.incoming) assert.equal(graph.edges[edge]!.target, node.number);
      }
      assert.equal(
        graph.nodes.reduce((sum, { incoming }) => sum + incoming.length, 0),
        graph.edges.length,
      );
    }),
    { seed: 23, numRuns: 100 },
  );
});

test('S1.1.a: edges are refused exactly where they lead in a circle, by a path that is one', () => {
  const edgesOf = fc.uniqueArray(fc.tuple(fc.nat(11), fc.nat(11)), {
    maxLength: 25,
    selector: ([a, b]) => `${a} ${b}`,
  });
  let [circles, none] = [0, 0];
  fc.assert(
    fc.property(edgesOf, (pairs) => {
      const nodes = Array.from({ length: 12 }, (_, i) => ({ id: `n${i}`, type: 'merge' }));
      const edges = pairs.map(([a, b]): EdgeSpec => ({ source: `n${a}`, target: `n${b}` }));
      const document = { apiVersion: 'nodeflow/v1', id: 'd', name: 'd', version: '1.0.0', nodes, edges };
      const found = validateDocument(document, settings).filter(({ code }) => code === 'workflow.cycle');
      const told = found.map(({ message }) => message.slice(message.indexOf(': ') + 2).split(' > '));
      for (const path of told) {
        assert.equal(path[0], path.at(-1));
        path.slice(1).forEach((id, i) => {
          assert.ok(
            edges.some(({ source, target }) => source === path[i] && target === id),
            path.join(' > '),
          );
        });
      }
      assert.equal(told.length > 0, hasCircle(pairs));
      if (told.length > 0) circles++;
      else none++;
    }),
    { seed: 31, numRuns: 400 },
  );
  assert.ok(circles > 50 && none > 50, `${circles} with a circle, ${none} without`);
});

/** By taking away, again and again, what nothing leads to. */
function hasCircle(pairs: readonly (readonly [number, number])[]): boolean {
  let left = pairs;
  for (;;) {
    const led = new Set(left.map(([, target]) => target));
    const next = left.filter(([source]) => led.has(source));
    if (next.length === left.length) return left.length > 0;
    left = next;
  }
}
