import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { createFileLog } from '../log/file/file.ts';
import type { Log } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { registryConformance } from '../schemas/registry/registry.conformance.ts';
import { createRegistryClient, httpTransport } from '../schemas/schemas.ts';
import { openRegistry, SCHEMAS_TOPIC, serveRegistry } from './registry.ts';

const random = seededRandom(5);
const memoryLog = () => createMemoryLog({ clock: systemClock, random });
const hostOf = (log: Log) => openRegistry({ log, clock: systemClock, random });

registryConformance('embedded', async () => {
  const log = memoryLog();
  const host = hostOf(log);
  return {
    client: () => host.client(),
    rest: (request) => host.answer({ body: undefined, ...request }),
    async close() {
      await host.close();
      await log.close();
    },
  };
});

registryConformance('embedded over HTTP', async () => {
  const log = memoryLog();
  const host = hostOf(log);
  const server = await serveRegistry(host, { port: 0 });
  const { send, name, close } = httpTransport({ url: server.url });
  return {
    client: () => createRegistryClient({ send, name, clock: systemClock, random }),
    rest: (request) => send(request, new AbortController().signal),
    async close() {
      close();
      await server.close();
      await host.close();
      await log.close();
    },
  };
});

type Host = ReturnType<typeof hostOf>;

const ask = async (host: Host, request: string, body?: unknown) => {
  const [method, path] = request.split(' ') as [string, string];
  const answer = await host.answer({ method, path, body });
  return answer.status === 200 ? answer.body : [answer.status, answer.body];
};
const order = (...fields: readonly object[]) => ({
  schema: JSON.stringify({ type: 'record', name: 'Order', fields }),
});
const A = { name: 'a', type: 'int' };
const B = { name: 'b', type: 'string' };

async function withHost(run: (host: Host, log: Log) => Promise<void>): Promise<void> {
  const log = memoryLog();
  const host = hostOf(log);
  try {
    await run(host, log);
  } finally {
    await host.close();
    await log.close();
  }
}

test('everything is on the log: another process answers alike, and ids go on', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeflow-registry-'));
  const within = async (run: (host: Host) => Promise<void>) => {
    const log = await createFileLog({ directory, clock: systemClock });
    const host = hostOf(log);
    await run(host);
    await host.close();
    await log.close();
  };
  await within(async (host) => {
    assert.deepEqual(await ask(host, 'GET /subjects'), []);
    assert.deepEqual(await ask(host, 'POST /subjects/s/versions', order(A)), { id: 1 });
    assert.deepEqual(await ask(host, 'PUT /config', { compatibility: 'full' }), { compatibility: 'FULL' });
    assert.deepEqual(await ask(host, 'POST /subjects/t/versions', order(B)), { id: 2 });
    assert.deepEqual(await ask(host, 'DELETE /subjects/t'), [1]);
    assert.deepEqual(await ask(host, 'DELETE /subjects/t?permanent=true'), [1]);
  });
  await within(async (host) => {
    assert.deepEqual(await ask(host, 'GET /subjects'), ['s']);
    assert.deepEqual(await ask(host, 'GET /config'), { compatibilityLevel: 'FULL' });
    const text = order(A).schema;
    assert.deepEqual(await ask(host, 'GET /subjects/s/versions/latest'), {
      subject: 's',
      version: 1,
      id: 1,
      schema: text,
    });
    assert.equal(((await ask(host, 'GET /schemas/ids/2')) as unknown[])[0], 404);
    assert.deepEqual(await ask(host, 'POST /subjects/u/versions', order(B)), { id: 3 });
  });
  rmSync(directory, { recursive: true, force: true });
});

test('two processes that write one topic judge each request upon what the other wrote', async () => {
  await withHost(async (first, log) => {
    const second = hostOf(log);
    const hosts = [first, second];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        ask(hosts[i % 2]!, `POST /subjects/s${i % 5}/versions`, order({ ...A, name: `f${i % 5}` })),
      ),
    );
    for (const [i, answer] of answers.entries()) assert.deepEqual(answer, answers[i % 5]);
    assert.equal(new Set(answers.map((answer) => (answer as { id: number }).id)).size, 5);
    assert.deepEqual(await ask(first, 'GET /subjects'), await ask(second, 'GET /subjects'));
    await second.close();
  });
});

test('its topic is compacted and has one partition', async () => {
  await withHost(async (host, log) => {
    await ask(host, 'POST /subjects/s/versions', order(A));
    const { settings } = (await log.admin.describe(SCHEMAS_TOPIC))!;
    assert.deepEqual([settings.partitions, settings.cleanup], [1, 'compact']);
  });
});

test('a refusal names the rule, the version and the field', async () => {
  await withHost(async (host) => {
    await ask(host, 'POST /subjects/s/versions', order(A));
    const message =
      'Schema being registered is incompatible with an earlier schema for subject "s", whose rule is BACKWARD: ' +
      'what version 1 wrote, this schema cannot read: Order.b was not written, and has no default';
    assert.deepEqual(await ask(host, 'POST /subjects/s/versions', order(A, B)), [409, { error_code: 409, message }]);
    assert.deepEqual(await ask(host, 'POST /compatibility/subjects/s/versions/latest?verbose=true', order(A, B)), {
      is_compatible: false,
      messages: ['what version 1 wrote, this schema cannot read: Order.b was not written, and has no default'],
    });
    const compatible = { is_compatible: true };
    assert.deepEqual(await ask(host, 'POST /compatibility/subjects/s/versions', order(A)), compatible);
    assert.deepEqual(await ask(host, 'POST /compatibility/subjects/none/versions', order(A)), compatible);
  });
});

test('one schema in several writings is one schema', async () => {
  await withHost(async (host) => {
    const schemas = [
      {
        type: 'record',
        name: 'shop.Order',
        fields: [{ name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } }],
      },
      {
        fields: [{ type: { logicalType: 'timestamp-millis', type: 'long' }, name: 'at' }],
        namespace: 'shop',
        name: 'Order',
        type: 'record',
      },
    ];
    for (const schema of schemas) {
      assert.deepEqual(await ask(host, 'POST /subjects/s/versions', { schema: JSON.stringify(schema, null, 2) }), {
        id: 1,
      });
    }
    assert.deepEqual(await ask(host, 'POST /subjects/s/versions', { schema: 'string' }), [
      409,
      ((await ask(host, 'POST /subjects/s/versions', { schema: '"string"' })) as unknown[])[1],
    ]);
    assert.deepEqual(await ask(host, 'POST /subjects/p/versions', { schema: 'string' }), { id: 2 });
    assert.deepEqual(await ask(host, 'POST /subjects/p/versions', { schema: '{"type":"string"}' }), { id: 2 });
  });
});

test('errors carry the codes of Confluent', async () => {
  await withHost(async (host) => {
    const code = async (request: string, body?: unknown) => {
      const [status, answer] = (await ask(host, request, body)) as [number, { error_code: number }];
      return `${status} ${answer?.error_code}`;
    };
    await ask(host, 'POST /subjects/s/versions', order(A));
    const rows: readonly (readonly [expected: string, request: string, body?: unknown])[] = [
      ['404 40401', 'GET /subjects/none/versions'],
      ['404 40401', 'POST /subjects/none', order(A)],
      ['404 40401', 'DELETE /subjects/none'],
      ['404 40402', 'GET /subjects/s/versions/7'],
      ['422 42202', 'GET /subjects/s/versions/zero'],
      ['404 40403', 'GET /schemas/ids/7'],
      ['404 40403', 'POST /subjects/s', order(B)],
      ['404 40405', 'DELETE /subjects/s?permanent=true'],
      ['404 40407', 'DELETE /subjects/s/versions/1?permanent=true'],
      ['404 40408', 'GET /config/s'],
      ['422 42201', 'POST /subjects/s/versions', { schema: '{"type":"nonsense"}' }],
      ['422 42201', 'POST /subjects/s/versions', { schema: 'x', schemaType: 'PROTOBUF' }],
      ['422 42201', 'POST /subjects/s/versions'],
      ['422 42203', 'PUT /config/s', { compatibility: 'SIDEWAYS' }],
      ['404 404', 'GET /nothing/here'],
      ['405 405', 'PATCH /subjects'],
    ];
    for (const [expected, request, body] of rows) assert.equal(await code(request, body), expected, request);
    await ask(host, 'DELETE /subjects/s');
    assert.equal(await code('DELETE /subjects/s'), '404 40404');
    assert.equal(await code('DELETE /subjects/s/versions/1'), '404 40406');
    assert.deepEqual(await ask(host, 'GET /subjects?deleted=true'), ['s']);
    assert.deepEqual(await ask(host, 'GET /schemas/ids/1/subjects'), []);
    assert.deepEqual(await ask(host, 'GET /schemas/ids/1/subjects?deleted=true'), ['s']);
  });
});

test('what others refer to is not deleted', async () => {
  await withHost(async (host) => {
    await ask(host, 'POST /subjects/money/versions', { schema: '{"type":"fixed","name":"Money","size":4}' });
    const references = [{ name: 'Money', subject: 'money', version: 1 }];
    const priced = order({ name: 'price', type: 'Money' });
    assert.equal(((await ask(host, 'POST /subjects/priced/versions', priced)) as unknown[])[0], 422);
    assert.deepEqual(await ask(host, 'POST /subjects/priced/versions', { ...priced, references }), { id: 2 });
    assert.deepEqual(await ask(host, 'GET /subjects/money/versions/1/referencedby'), [2]);
    assert.equal(((await ask(host, 'DELETE /subjects/money')) as unknown[])[0], 422);
  });
});

test('a body that is no JSON, or too long, is refused', async () => {
  await withHost(async (host) => {
    const server = await serveRegistry(host, { port: 0 });
    const post = async (body: string) =>
      (await fetch(`${server.url}/subjects/s/versions`, { method: 'POST', body })).status;
    assert.equal(await post('{'), 400);
    assert.equal(await post(JSON.stringify({ schema: 'x'.repeat(5_000_000) })), 413);
    await server.close();
  });
});
