import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { say } from '../../cli/testing.fixture.ts';
import { openEngine } from '../../cli/wire.ts';
import { openWorkflowService, type WorkflowService } from '../../cli/workflow-service.ts';
import { systemClock } from '../../core/clock.ts';
import type { Json } from '../../core/ids.ts';
import type { NamedEvent } from '../../events/events.ts';
import { ADD, ADD_TASK, document } from '../../workflows/control/testing/small-documents.ts';
import { createLanguage } from '../../workflows/workflows.ts';

const TOTAL = { type: 'object', properties: { total: { type: 'number' } } };

/** A loop, a map, a child, a value that is larger than a sample, ports with schemas and without, and a node that runs twice. */
const ALL = {
  ...{ apiVersion: 'nodeflow/v1', id: 'all', name: 'all', version: '1.0.0' },
  nodes: [
    {
      ...{ id: 'typed', type: 'expression' },
      data: {
        config: { value: { total: '= input.n' } },
        outputs: { out: { kind: 'value', schema: TOTAL } },
      },
    },
    { id: 'double', type: 'loop', data: { config: { while: 'iteration < 3', max: 5 } } },
    {
      ...{ id: 'twice', type: 'expression', parentId: 'double' },
      data: { config: { value: { total: '= last.total * 2.0' } }, outputs: { out: { kind: 'value', schema: TOTAL } } },
    },
    { id: 'each', type: 'map', data: { config: { items: '= [1, 2, 3]' } } },
    { id: 'add', type: 'add-task', parentId: 'each', data: { config: { n: 10 } } },
    { id: 'child', type: 'workflow', data: { config: { workflow: 'inner', input: 5 } } },
    { id: 'large', type: 'expression', data: { config: { value: '= input.text' } } },
    {
      ...{ id: 'go', type: 'wait.signal' },
      data: {
        config: { name: 'go' },
        outputs: { out: { kind: 'value', schema: 'json:paid' } },
      },
    },
    { id: 'end', type: 'wait.signal', data: { config: { name: 'end' } } },
  ],
  edges: [
    { source: 'typed', target: 'double' },
    { source: 'double', target: 'go' },
    { source: 'each', target: 'go' },
    { source: 'child', target: 'go' },
    { source: 'large', target: 'go' },
    { source: 'go', target: 'end' },
  ],
};

type Value = { readonly value: Json; readonly bytes: number; readonly schema: string | null };

/** What stands at a reference, by the library, which is what HTTP and the command line say. */
async function valueAt(service: WorkflowService, reference: string): Promise<Value> {
  const { url } = service.gateway!;
  const found = await service.workflows.output(reference);
  const answer = await fetch(`${url}/v1/outputs/${reference}`);
  assert.equal(answer.status, 200, reference);
  assert.deepEqual(await answer.json(), found);
  const { code, out } = await say(tmpdir(), ['execution', 'output', reference], { NODEFLOW_GATEWAY_URL: url });
  assert.deepEqual([code, JSON.parse(out.join('\n'))], [0, found!.value]);
  return found!;
}

test('S2.1.b2: what an event refers to is had by library, HTTP and command line, whatever came later', {
  timeout: 600_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-references-'));
  const opened = async (body: (service: WorkflowService) => Promise<void>) => {
    const engine = await openEngine({ directory });
    const language = createLanguage({ types: [ADD, ADD_TASK] });
    const parts = { engine, language, database: 'none', settings: { partitions: 1 }, gateway: { port: 0 } } as const;
    const service = await openWorkflowService(parts);
    try {
      await body(service);
    } finally {
      await service.close();
      await engine.close();
    }
  };
  const events: NamedEvent[] = [];
  const values = new Map<string, Value>();
  try {
    await opened(async (service) => {
      const { workflows } = service;
      workflows.feed.events({}, [], (event) => void events.push(event));
      const waitsFor = async (node: string) => {
        const find = async () => (await workflows.execution('x'))!.nodes.find(({ id }) => id === node)!;
        while ((await find()).wait === null) await systemClock.sleep(2);
      };
      await workflows.publish(document('inner', [['i', 'add', { n: 3 }]], []));
      await workflows.publish(ALL);
      await workflows.start('all', { n: 1, text: 'ä'.repeat(3000) }, { execution: 'x' });
      await waitsFor('go');
      await workflows.signal('x', 'go', 'first');
      await waitsFor('end');
      const more = { id: 'more', type: 'expression', data: { config: { value: 7 } } };
      await workflows.patch('x', 0, [{ op: 'add-node', node: more }]);
      await workflows.retryFrom('x', 'go');
      await waitsFor('go');
      await workflows.signal('x', 'go', 'second');
      await waitsFor('end');
      await workflows.signal('x', 'end', 'over');
      const { output } = await workflows.ended('x');
      const told = () => events.filter(({ type }) => type === 'EXECUTION_COMPLETED');
      while (told().length < 2) await systemClock.sleep(2);
      const { schemas } = (await (await fetch(`${service.gateway!.url}/v1/definitions/all`)).json()) as {
        readonly schemas: { readonly [id: string]: Json };
      };
      for (const event of events) {
        const { reference, bytes, sample, cut, schema, port } = event.data as Record<string, never>;
        if (reference === undefined) continue;
        const found = await valueAt(service, reference);
        values.set(reference, found);
        assert.equal(bytes, Buffer.byteLength(JSON.stringify(found.value)));
        assert.equal(found.bytes, bytes);
        if (event.type !== 'DATA_AVAILABLE') continue;
        assert.equal(found.schema, schema);
        if (!cut) assert.deepEqual(sample, found.value);
        // an event is small, however large the value
        assert.ok(JSON.stringify(event).length < 1600);
        const due = ['typed', 'twice'].includes(event.node!) ? TOTAL : event.node === 'go' ? 'json:paid' : undefined;
        // a map is declared to give a list by its type
        assert.deepEqual(
          schema === null ? undefined : schemas[schema],
          event.node === 'each' ? { type: 'array' } : due,
          `${event.node} ${port}`,
        );
      }
      const at = (node: string | null, type = 'DATA_AVAILABLE') =>
        events
          .filter((event) => event.type === type && event.node === node && event.execution === 'x')
          .map(({ data }) => values.get(String(data['reference']))!.value);
      assert.deepEqual(at('go'), ['first', 'second']);
      assert.deepEqual(at('twice'), [{ total: 2 }, { total: 4 }, { total: 8 }]);
      assert.deepEqual(at('add').sort(), [11, 12, 13]);
      // what a patch has added is told by number
      assert.deepEqual(at('#9'), [7]);
      assert.deepEqual(at('large'), ['ä'.repeat(3000)]);
      assert.deepEqual(at(null, 'EXECUTION_COMPLETED'), [output]);
      assert.ok([...values.keys()].some((reference) => reference.startsWith('x%2Fchild/')));
      const ends = told().find(({ execution }) => execution === 'x')!.data;
      // eight at the top, three rounds, three items; what ran again counts once
      assert.deepEqual(ends['counters'], { COMPLETED: 14, FAILED: 0, CANCELLED: 0 });
      for (const gone of ['x/1/typed/none', 'x/999/typed/out', 'x/1/no/out', 'y/1', 'x/1']) {
        assert.equal(await workflows.output(gone), undefined, gone);
      }
    });
    await opened(async (service) => {
      assert.ok(values.size > 15);
      for (const [reference, value] of values) assert.deepEqual(await valueAt(service, reference), value);
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
