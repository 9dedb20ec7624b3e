import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../core/clock.ts';
import { awaitServing, formatBroker, lostItsPort, runningPid, startBroker, stopBrokers } from './broker.ts';
import { freePorts, portsFrom } from './ports.ts';
import { brokersOf, servingBrokers } from './probe.ts';
import { HOST } from './properties.ts';
import { machineWith } from './testing.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-kafka-broker-'));
after(() => rmSync(folder, { recursive: true }));

/** An answer of Metadata 1 with two brokers. */
function metadata(controller: number): Buffer {
  const broker = (id: number) => Buffer.from([0, 0, 0, id, 0, 1, 0x61, 0, 0, 0, 9, 0xff, 0xff]);
  const tail = Buffer.alloc(8);
  tail.writeInt32BE(controller);
  return Buffer.concat([Buffer.from([0, 0, 0, 2]), broker(1), broker(2), tail]);
}

test('a broker serves when it knows the others and a controller', () => {
  assert.equal(brokersOf(metadata(1)), 2);
  assert.equal(brokersOf(metadata(-1)), 0);
});

test('the probe asks ApiVersions, then Metadata, and takes answers in pieces', async () => {
  const asked: number[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (request) => {
      const api = request.readInt16BE(4);
      asked.push(api);
      const body = api === 18 ? Buffer.alloc(6) : metadata(1);
      const head = Buffer.alloc(8);
      head.writeInt32BE(4 + body.length);
      socket.write(head.subarray(0, 3), () => socket.write(Buffer.concat([head.subarray(3), body])));
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal(await servingBrokers(port, systemClock), 2);
  assert.deepEqual(asked, [18, 3]);
  await assert.rejects(portsFrom(port, 2), { code: 'port.taken', message: new RegExp(`port ${port} of .* --port$`) });
  server.close();
  await once(server, 'close');
  assert.equal(await servingBrokers(port, systemClock), 0);
  assert.deepEqual(await portsFrom(port, 1), [port]);
});

test('free ports are different ones below those of outgoing connections', async () => {
  const ports = await freePorts(6);
  assert.equal(new Set(ports).size, 6);
  assert.ok(ports.every((port) => port >= 20_000 && port < 32_000));
});

test('a broker that dies at its start says its last lines', async () => {
  const broker = { id: 1, folder: join(folder, 'dies'), port: 1 };
  const records = join(folder, 'records');
  writeFileSync(records, 'x');
  formatBroker(broker, { properties: 'a=b\n', records, clusterId: 'c', directoryId: 'd' });
  assert.equal(readFileSync(join(broker.folder, 'data', 'bootstrap.checkpoint'), 'utf8'), 'x');
  // Node takes none of Java's options
  const kafka = {
    ...{ version: '0', folder, classPath: '', archive: join(folder, 'none'), logging: '' },
    java: { program: process.execPath, version: '17' },
  };
  const machine = machineWith({});
  startBroker(broker, kafka, machine, {});
  await assert.rejects(awaitServing([broker], 1, machine), (thrown: Error) => {
    assert.match(thrown.message, /^broker 1 died at its start; correct what its last log lines say:\n.*bad option/s);
    assert.ok(!lostItsPort(thrown));
    return true;
  });
  await stopBrokers([broker], machine, { graceMs: 0 });
  assert.ok(!existsSync(join(broker.folder, 'pid')));
});

test('one that does not end when asked is killed; a process of another name is left alone', async () => {
  const broker = { id: 1, folder: join(folder, 'stubborn') };
  const records = join(folder, 'records');
  formatBroker(broker, { properties: '', records, clusterId: 'c', directoryId: 'd' });
  const code = 'process.on("SIGTERM", () => {}); console.log("ready"); setInterval(() => {}, 1000)';
  const start = async (word: string) => {
    const child = spawn(process.execPath, ['-e', code, word], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    writeFileSync(join(broker.folder, 'pid'), String(child.pid));
    return child;
  };
  const other = await start('another');
  assert.equal(runningPid(broker), undefined);
  const own = await start(join(broker.folder, 'server.properties'));
  assert.equal(runningPid(broker), own.pid);
  const ended = once(own, 'exit');
  await stopBrokers([broker], machineWith({}), { graceMs: 50 });
  assert.equal((await ended)[1], 'SIGKILL');
  assert.equal(other.exitCode, null);
  other.kill('SIGKILL');
});
