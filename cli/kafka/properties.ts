import { join } from 'node:path';
import type { Security } from './security.ts';

/** Where one broker listens: ports of the loopback address. */
export interface Ports {
  readonly plain: number;
  readonly controller: number;
  /** Between brokers, where clients are told other addresses. */
  readonly internal?: number;
  readonly sasl?: number;
  readonly ssl?: number;
  readonly saslSsl?: number;
}

export interface BrokerPlan {
  /** From 1. */
  readonly id: number;
  readonly folder: string;
  readonly ports: Ports;
  /** Ports of all controllers, by broker. */
  readonly controllers: readonly number[];
  /** What clients are told instead of the plain address, as `host:port`. */
  readonly advertise?: string | undefined;
  readonly security?: Security | undefined;
  /** Further server properties; they win. */
  readonly extra: readonly (readonly [key: string, value: string])[];
}

export const HOST = '127.0.0.1';

/** The kinds of listeners: how Kafka's protocol map names what each port speaks. */
const LISTENERS: readonly { readonly port: keyof Ports; readonly name: string; readonly protocol: string }[] = [
  { port: 'plain', name: 'PLAINTEXT', protocol: 'PLAINTEXT' },
  { port: 'internal', name: 'INTERNAL', protocol: 'PLAINTEXT' },
  { port: 'sasl', name: 'SASL', protocol: 'SASL_PLAINTEXT' },
  { port: 'ssl', name: 'SSL', protocol: 'SSL' },
  { port: 'saslSsl', name: 'SASLSSL', protocol: 'SASL_SSL' },
];

/** Copies of everything on three brokers, and short waits, so that faults are over within seconds. */
const OF_THREE = {
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 1000,
  'replica.lag.time.max.ms': 5000,
};

/** The `server.properties` of one broker, which is its own controller too. */
export function serverProperties(plan: BrokerPlan): string {
  const { id, folder, ports, controllers, security } = plan;
  const count = controllers.length;
  const inUse = LISTENERS.filter(({ port }) => ports[port] !== undefined);
  const address = ({ port, name }: (typeof LISTENERS)[number]) => `${name}://${HOST}:${ports[port]}`;
  const told = (listener: (typeof LISTENERS)[number]) =>
    listener.port === 'plain' && plan.advertise !== undefined ? `PLAINTEXT://${plan.advertise}` : address(listener);
  const properties: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': id,
    listeners: [...inUse.map(address), `CONTROLLER://${HOST}:${ports.controller}`].join(','),
    'advertised.listeners': inUse.map(told).join(','),
    'listener.security.protocol.map': [
      ...inUse.map(({ name, protocol }) => `${name}:${protocol}`),
      'CONTROLLER:PLAINTEXT',
    ].join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': ports.internal === undefined ? 'PLAINTEXT' : 'INTERNAL',
    'controller.quorum.voters': controllers.map((port, i) => `${i + 1}@${HOST}:${port}`).join(','),
    'log.dirs': join(folder, 'data'),
    // event times may be years old, and nothing may be deleted for that
    'log.retention.ms': -1,
    'num.partitions': 4,
    'default.replication.factor': count,
    'min.insync.replicas': count === 1 ? 1 : 2,
    'offsets.topic.replication.factor': count,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': count,
    'transaction.state.log.min.isr': count === 1 ? 1 : 2,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': count,
    'share.coordinator.state.topic.min.isr': count === 1 ? 1 : 2,
    'group.initial.rebalance.delay.ms': 0,
    // a broker that comes back is taken in only when the session of the one before is over
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    ...(count > 1 ? OF_THREE : {}),
    ...security?.properties,
    ...Object.fromEntries(plan.extra),
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${escaped(String(value))}\n`)
    .join('');
}

/** Java reads a backslash in a value as the begin of an escape. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** What `StorageTool format` writes beside the first records: who this broker is. */
export function metaProperties(id: number, clusterId: string, directoryId: string): string {
  return `version=1\nnode.id=${id}\ncluster.id=${clusterId}\ndirectory.id=${directoryId}\n`;
}
