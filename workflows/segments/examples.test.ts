import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Json } from '../../core/ids.ts';
import { openDatabase } from '../../database/database.ts';
import { DATA_PLANE_TYPES } from '../nodes/data-plane-types.ts';
import { validateDocument } from '../validate.ts';
import { memoryHost, runDocument } from './host.fixture.ts';
import { settings } from './jobs.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-nodes-'));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'airports.csv'), 'iata,name\nBER,Berlin\nHAM,Hamburg\n');

/** Examples whose results lie in other systems. */
const ELSEWHERE = ['sink.file', 'sink.postgres', 'sink.http'];

for (const { name, example, behaviour } of DATA_PLANE_TYPES) {
  test(`the example of ${name} has no faults`, () => {
    assert.deepEqual(validateDocument(example.document, settings), []);
  });
  if (ELSEWHERE.includes(name)) continue;
  // what starts executions is run by control/fan-out.test.ts
  if (behaviour.kind === 'operator' && behaviour.starts === true) continue;
  test(`the example of ${name} gives what it says`, { timeout: 240_000 }, async () => {
    const host = memoryHost();
    const paths = name === 'source.file' ? { path: join(folder, 'airports.csv') } : undefined;
    const mode = name === 'source.topic' ? 'realtime' : 'batch';
    const { outputs, how, figures } = await runDocument(host, example.document, {
      input: paths ?? example.input,
      mode,
    });
    assert.equal(how, 'complete');
    const { all: output } = example.output as { readonly [node: string]: Json };
    const sorted = (value: Json) => (Array.isArray(value) ? value.map((each) => JSON.stringify(each)).sort() : value);
    assert.deepEqual(sorted(outputs['all.out']!), sorted(output!));
    for (const [id, { status }] of Object.entries(figures.nodes)) assert.equal(status, 'COMPLETED', id);
    await host.log.close();
  });
}

function exampleOf(name: string) {
  return DATA_PLANE_TYPES.find((type) => type.name === name)!.example;
}

test('a file is written whole, and has its name at the end', { timeout: 240_000 }, async () => {
  const { document, input } = exampleOf('sink.file');
  const path = join(folder, 'numbers.jsonl');
  const host = memoryHost();
  await runDocument(host, document, { input: { ...(input as object), path } });
  assert.equal(readFileSync(path, 'utf8'), '1\n2\n');
  await host.log.close();
});

test('rows of a database', { timeout: 240_000 }, async () => {
  const database = await openDatabase({ directory: undefined });
  await database.query('create table orders (id integer primary key, total double precision)');
  const { document, input } = exampleOf('sink.postgres');
  const host = memoryHost({ connections: { main: database } });
  await runDocument(host, document, { input });
  const rows = await database.query<{ id: number; total: number }>('select id, total from orders');
  assert.deepEqual(rows, [{ id: 1, total: 5 }]);
  await assert.rejects(runDocument(memoryHost(), document, { input }), {
    code: 'workflow.invalid',
    message: /names the database main, which the engine was not given/,
  });
  await database.close();
  await host.log.close();
});

async function receiving(body: (url: string, bodies: readonly string[]) => Promise<void>): Promise<void> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      bodies.push(text);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  try {
    await body(`http://127.0.0.1:${port}/hook`, bodies);
  } finally {
    server.close();
  }
}

test('requests to an address', { timeout: 240_000 }, () =>
  receiving(async (url, bodies) => {
    const { document, input } = exampleOf('sink.http');
    const host = memoryHost({ http: { allow: [new URL(url).host] } });
    await runDocument(host, document, { input: { ...(input as object), url } });
    assert.match(bodies.join(), /"value":\{"id":1\}/);
    await host.log.close();
  }),
);

test('no requests to an internal address that nobody has allowed', { timeout: 240_000 }, () =>
  receiving(async (url, bodies) => {
    const { document, input } = exampleOf('sink.http');
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    for (const each of [url, url.replace('127.0.0.1', 'inside.example')]) {
      const host = memoryHost({ http: { resolve } });
      await assert.rejects(runDocument(host, document, { input: { ...(input as object), url: each } }), {
        code: 'export.refused',
        message: /is 127\.0\.0\.1, an internal address: allow it in the settings of the engine/,
      });
      await host.log.close();
    }
    assert.deepEqual(bodies, []);
  }),
);
