import { resolve } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import type { Call, Command } from '../command.ts';
import type { ClusterSettings } from '../kafka/cluster.ts';
import { KAFKA_VERSION, OLDEST_KAFKA } from '../kafka/distribution.ts';
import { defaultFolder, downKafka, statusOf, upKafka } from '../kafka/kafka.ts';
import { runProgram } from '../kafka/machine.ts';
import { HOST } from '../kafka/properties.ts';
import { numberOption } from '../parse.ts';
import type { World } from '../world.ts';

export const kafka: Command = {
  name: 'kafka',
  parameters: 'up | status | down',
  about: `Starts, shows and stops Kafka brokers on this machine, without Docker; needs Java 17 and Maven.`,
  words: { min: 1, max: 1 },
  options: {
    brokers: { value: '1|3', about: 'With up: how many; default 1.' },
    release: {
      value: 'version',
      about: `With up: a release of Kafka; default ${KAFKA_VERSION}, from ${OLDEST_KAFKA} on. Fetched the first time.`,
    },
    port: { value: 'port', about: 'With up: the first port; else free ones are chosen.' },
    data: { value: 'folder', about: 'Where the brokers live; default .nodeflow/kafka.' },
    secure: {
      about: 'With up: also SASL and TLS listeners, user alice with password alice-secret, test certificates.',
    },
    heap: { value: 'size', about: 'With up: the heap of each broker, such as 1g for benchmarks; else small.' },
    set: { value: 'key=value', about: 'With up: a server property; may be given several times.' },
    advertise: {
      value: 'host:port,...',
      about: 'With up: what clients are told instead, such as a proxy; one a broker.',
    },
    'advertise-port': { value: 'port', about: `With up: the same, on ${HOST}, from this port on.` },
    keep: { about: 'With down: the data stay for the next up.' },
  },
  async run(call, world) {
    const [action] = call.words as [string];
    const folder =
      call.option('data') === undefined ? defaultFolder(world.cwd) : resolve(world.cwd, call.option('data')!);
    if (action === 'up') return up(call, world, folder);
    if (action === 'down') return down(call, world, folder);
    if (action === 'status') return status(call, world, folder);
    throw new FlowError('option.unknown', `kafka takes up, status or down, not ${action}; see nodeflow help kafka`);
  },
};

const machineOf = ({ env, clock, err, stop }: World) => ({ env, clock, run: runProgram, say: err, stop });

async function up(call: Call, world: World, folder: string): Promise<number> {
  const settings = settingsOf(call);
  const { addresses, cluster, started } = await upKafka(folder, settings, machineOf(world), numberOption(call, 'port'));
  if (call.json) {
    world.out(JSON.stringify(addresses));
    return 0;
  }
  world.out(`${started ? 'started' : 'running already'}: Kafka ${cluster.version}, data in ${folder}`);
  for (const [name, value] of Object.entries(addresses)) world.out(`  ${name}: ${value}`);
  return 0;
}

async function down(call: Call, world: World, folder: string): Promise<number> {
  const keep = call.option('keep') !== undefined;
  const stopped = await downKafka(folder, machineOf(world), { keep });
  if (call.json) world.out(JSON.stringify({ stopped }));
  else if (!stopped) world.out(`there is no cluster in ${folder}`);
  else world.out(keep ? `stopped; the data stay in ${folder}` : `stopped; ${folder} is removed`);
  return 0;
}

async function status(call: Call, world: World, folder: string): Promise<number> {
  const found = statusOf(folder);
  if (call.json) {
    const { cluster, addresses, brokers } = found ?? {};
    world.out(JSON.stringify({ folder, version: cluster?.version, ...addresses, processes: brokers ?? [] }));
    return 0;
  }
  if (found === undefined) {
    world.out(`there is no cluster in ${folder}; start one with nodeflow kafka up`);
    return 0;
  }
  world.out(`Kafka ${found.cluster.version} in ${folder}`);
  for (const { broker, address, pid } of found.brokers) {
    world.out(`  broker ${broker} on ${address}: ${pid === undefined ? 'not running' : `process ${pid}`}`);
  }
  return 0;
}

export function settingsOf(call: Call): ClusterSettings {
  const brokers = call.option('brokers') ?? '1';
  if (brokers !== '1' && brokers !== '3') throw wrong(`--brokers takes 1 or 3, not ${brokers}`);
  const count = brokers === '1' ? 1 : 3;
  const heap = call.option('heap');
  if (heap !== undefined && !/^\d+[kmg]$/i.test(heap)) throw wrong(`--heap takes a size such as 1g, not ${heap}`);
  const release = call.option('release');
  if (release !== undefined && !/^\d+\.\d+\.\d+$/.test(release)) {
    throw wrong(`--release takes a version such as ${OLDEST_KAFKA}, not ${release}`);
  }
  return {
    brokers: count,
    ...(release === undefined ? {} : { release }),
    secure: call.option('secure') !== undefined,
    heap,
    advertise: advertiseOf(call, count),
    extra: call.options('set').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  };
}

function advertiseOf(call: Call, count: number): readonly string[] {
  const first = numberOption(call, 'advertise-port');
  if (first !== undefined) return Array.from({ length: count }, (_, i) => `${HOST}:${first + i}`);
  const all = call.option('advertise')?.split(',') ?? [];
  const isWhole = all.length === 0 || (all.length === count && all.every((one) => /^[^\s:]+:\d+$/.test(one)));
  if (!isWhole) throw wrong(`--advertise takes one host:port for each of ${count} brokers, not ${all.join(',')}`);
  return all;
}

function wrong(text: string): FlowError {
  return new FlowError('option.unknown', `${text}; see nodeflow help kafka`);
}
