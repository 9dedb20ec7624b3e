import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { isFlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import { leaveOut } from '../../integration-tests/support/test-run.ts';
import { createRegistryClient } from './client.ts';
import { httpTransport } from './http.ts';
import type { RegistryOptions } from './registry.ts';

async function listening(server: Server, run: (port: number) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const answering: RequestListener = (request, response) => {
  const isUser = request.headers.authorization === `Basic ${Buffer.from('alice:s:cret').toString('base64')}`;
  response.writeHead(isUser ? 200 : 401, { 'content-type': 'application/json' });
  response.end(JSON.stringify(isUser ? { schema: '"string"', path: request.url } : { error_code: 401, message: 'no' }));
};

/** Of those who ask where nobody answers. */
const SHORT_PATIENCE_MS = 300;

async function schemaOne(options: RegistryOptions, patienceMs = 60_000): Promise<unknown> {
  const transport = httpTransport(options);
  const random = seededRandom(1);
  const client = createRegistryClient({ ...transport, clock: systemClock, random, patienceMs });
  try {
    return (await client.schema(1))?.text;
  } finally {
    client.close();
  }
}

const refusedWith = (code: string) => (thrown: unknown) => isFlowError(thrown) && thrown.code === code;

test('user and password come from the options or the address, and never into messages', async () => {
  await listening(createServer(answering), async (port) => {
    const url = `http://127.0.0.1:${port}`;
    assert.equal(await schemaOne({ url, username: 'alice', password: 's:cret' }), '"string"');
    assert.equal(await schemaOne({ url: `http://alice:s%3Acret@127.0.0.1:${port}/` }), '"string"');
    await assert.rejects(schemaOne({ url: `http://alice:wrong@127.0.0.1:${port}` }), (thrown) => {
      assert.ok(isFlowError(thrown, 'registry.credentials'));
      assert.ok(!thrown.message.includes('wrong') && thrown.message.includes(url), thrown.message);
      return true;
    });
  });
});

test('a path of the address stands before each request', async () => {
  let asked: string | undefined;
  const server = createServer((request, response) => {
    asked = request.url;
    response.end('{"schema":"\\"string\\""}');
  });
  await listening(server, async (port) => {
    await schemaOne({ url: `http://127.0.0.1:${port}/apis/ccompat/v7/` });
    assert.equal(asked, '/apis/ccompat/v7/schemas/ids/1');
  });
});

test('of several addresses the next one is asked where one does not answer', async () => {
  await listening(createServer(answering), async (port) => {
    const url = `http://127.0.0.1:1,http://127.0.0.1:${port}`;
    assert.equal(await schemaOne({ url, username: 'alice', password: 's:cret' }), '"string"');
  });
});

test('nobody there, a page of something else, and no address at all', async () => {
  const nobody = schemaOne({ url: 'http://127.0.0.1:1' }, SHORT_PATIENCE_MS);
  await assert.rejects(nobody, refusedWith('registry.unreachable'));
  await assert.rejects(schemaOne({ url: 'registry:8081' }), refusedWith('config.invalid'));
  await assert.rejects(schemaOne({ url: 'not an address' }), refusedWith('config.invalid'));
  await listening(
    createServer((_, response) => response.end('<html>')),
    async (port) => {
      await assert.rejects(schemaOne({ url: `http://127.0.0.1:${port}` }), refusedWith('registry.refused'));
    },
  );
});

test('TLS takes the authority that it is given, and no other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-tls-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', keyFile, '-out', certFile];
    execFileSync('openssl', [...make, ...name], { stdio: 'ignore' });
  } catch {
    leaveOut('there is no openssl on the path, which makes certificates');
    return;
  }
  const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')];
  rmSync(folder, { recursive: true, force: true });
  await listening(createSecureServer({ key, cert }, answering), async (port) => {
    const options = { url: `https://127.0.0.1:${port}`, username: 'alice', password: 's:cret' };
    assert.equal(await schemaOne({ ...options, ca: cert }), '"string"');
    await assert.rejects(schemaOne(options), refusedWith('registry.security'));
    const plain = schemaOne({ url: `http://127.0.0.1:${port}` }, SHORT_PATIENCE_MS);
    await assert.rejects(plain, refusedWith('registry.unreachable'));
  });
  await listening(createServer(answering), async (port) => {
    await assert.rejects(schemaOne({ url: `https://127.0.0.1:${port}` }), refusedWith('registry.security'));
  });
});
