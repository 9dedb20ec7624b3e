import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../cli/kafka/machine.ts';
import { say } from '../cli/testing.fixture.ts';
import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { createKafkaJsLog } from '../log/kafkajs/kafkajs.ts';
import { testBrokers } from './support/brokers.ts';

/** What can be wrong with a cluster beside its addresses and rights, which command-line-kafka.test.ts has. */

/** What brokers answer to ApiVersions 3: which requests they understand, from which version to which. */
function apiVersions(correlation: number, ranges: readonly (readonly [api: number, oldest: number, newest: number])[]) {
  const body = Buffer.alloc(4 + 2 + 1 + ranges.length * 7 + 4 + 1);
  let at = body.writeInt32BE(correlation, 0);
  at = body.writeInt16BE(0, at);
  at = body.writeUInt8(ranges.length + 1, at);
  for (const range of ranges) {
    for (const number of range) at = body.writeInt16BE(number, at);
    at = body.writeUInt8(0, at);
  }
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** As brokers of Kafka 3.6 do. */
const OF_36 = [
  [0, 0, 9],
  [1, 0, 15],
  [3, 0, 12],
  [18, 0, 3],
] as const;

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-bad-cluster-'));
const root = new URL('..', import.meta.url).href;
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (request) => socket.write(apiVersions(request.readInt32BE(8), OF_36)));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const shared = await testBrokers();
after(() => {
  server.close();
  rmSync(cwd, { recursive: true, force: true });
});

for (const driver of ['kafka', 'kafkajs']) {
  test(`a broker that is too old is refused with its address and the cure, by the driver ${driver}`, async () => {
    const brokers = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const said = await say(cwd, ['topics', '--set', `log.driver=${driver}`], { NODEFLOW_BROKERS: brokers });
    assert.equal(said.code, 2);
    assert.equal(said.err.length, 1, said.err.join('\n'));
    assert.ok(said.err[0]!.startsWith(`nodeflow: the broker at ${brokers} is older than Kafka 3.7`), said.err[0]);
    assert.match(said.err[0]!, /upgrade the brokers to Kafka 3\.7 or newer \[kafka\.version\]$/);
  });
}

if (shared !== undefined) {
  const { brokers } = shared.addresses;

  test('a group in use by another application is told by its name', async () => {
    const name = `taken-${process.pid}-${systemClock.now()}`;
    writeFileSync(
      join(cwd, 'job.mjs'),
      `import { json, string, topic, topology as define } from '${root}index.ts';
const of = (name) => topic('${name}-' + name, { key: string(), value: json(), partitions: 1 });
export const topology = define('${name}');
topology.stream(of('in')).filter(() => true).to(of('out'));
`,
    );
    const other = await createKafkaJsLog({ brokers, clock: systemClock, random: seededRandom(1) });
    await other.admin.create(`${name}-in`, { partitions: 1 });
    await other.join({
      ...{ group: name, name: 'other', metadata: '', assign: () => new Map() },
      ...{ onAssign: () => undefined, onRevoke: async () => undefined, onLost: () => undefined },
    });
    const said = await say(cwd, ['run', 'job.mjs'], { NODEFLOW_BROKERS: brokers });
    await other.close();
    assert.notEqual(said.code, 0);
    const text = said.err.join('\n');
    assert.equal(text.split('nodeflow: ').length, 2, text);
    assert.match(
      text,
      new RegExp(`group ${name}.*belongs to other clients: give the application another name.*stop them`),
    );
    assert.match(text, /\[kafka\.refused\]$/);
  });

  test('a clock that is far off is told with its cure', async () => {
    const ahead = 'data:text/javascript,const now=Date.now;Date.now=()=>now()+3600000';
    const main = fileURLToPath(new URL('cli/main.ts', root));
    const args = ['--import', ahead, main, 'doctor', '--data', join(cwd, 'data')];
    const ended = await runProgram(process.execPath, args, { ...process.env, NODEFLOW_BROKERS: brokers });
    assert.equal(ended?.code, 1, ended?.said);
    assert.match(ended.said, /^BAD {2}Clock: that of controller 1 is 3[56]\d{5} ms behind ours; set both by NTP/m);
  });
}
