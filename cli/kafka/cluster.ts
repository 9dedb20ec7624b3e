import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlowError, messageOf } from '../../core/errors.ts';
import type { BrokerFolder } from './broker.ts';
import { HOST, type Ports } from './properties.ts';
import { securityIn } from './security.ts';

/** What a cluster was made with. */
export interface ClusterSettings {
  /** A release of Kafka; the newest that is known here where it is not given. */
  readonly release?: string | undefined;
  readonly brokers: 1 | 3;
  readonly secure: boolean;
  /** Java's size of the heap, such as `1g`; small where it is not given. */
  readonly heap?: string | undefined;
  /** What clients are told instead of the plain addresses, one `host:port` a broker; may be empty. */
  readonly advertise: readonly string[];
  /** Features at other versions than the newest, such as `transaction.version=0`. */
  readonly features?: readonly string[];
  readonly extra: readonly (readonly [key: string, value: string])[];
}

/** A cluster as it stands in its data folder, running or not. */
export interface Cluster {
  readonly version: string;
  readonly clusterId: string;
  readonly settings: ClusterSettings;
  /** By broker. */
  readonly ports: readonly Ports[];
}

/** Addresses of a cluster, comma-separated, and the files for its secure ones. */
export interface Addresses {
  readonly brokers: string;
  readonly advertised?: string;
  /** Past what clients are told: these brokers tell of themselves alone. */
  readonly direct?: string;
  readonly sasl?: string;
  readonly ssl?: string;
  readonly saslSsl?: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

const stateFile = (folder: string) => join(folder, 'cluster.json');

export function readCluster(folder: string): Cluster | undefined {
  const file = stateFile(folder);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Cluster;
  } catch (thrown) {
    throw new FlowError('file.broken', `${file} cannot be read (${messageOf(thrown)}); remove the folder ${folder}`);
  }
}

export function writeCluster(folder: string, cluster: Cluster): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(stateFile(folder), `${JSON.stringify(cluster, undefined, 2)}\n`);
}

export function brokerFolders(folder: string, cluster: Cluster): readonly (BrokerFolder & { readonly port: number })[] {
  return cluster.ports.map(({ plain }, i) => ({ id: i + 1, folder: join(folder, `broker-${i + 1}`), port: plain }));
}

export function addressesOf(folder: string, { ports, settings }: Cluster): Addresses {
  const all = (kind: keyof Ports) => ports.map((each) => `${HOST}:${each[kind]}`).join(',');
  const { ca, certificate, key } = securityIn(folder);
  return {
    brokers: all('plain'),
    ...(settings.advertise.length > 0 ? { advertised: settings.advertise.join(','), direct: all('internal') } : {}),
    ...(settings.secure ? { sasl: all('sasl'), ssl: all('ssl'), saslSsl: all('saslSsl'), ca, certificate, key } : {}),
  };
}

/** Which ports one broker needs, in the order in which they are given out. */
export function portKinds({ secure, advertise }: ClusterSettings): readonly (keyof Ports)[] {
  return [
    'plain',
    'controller',
    ...(advertise.length > 0 ? (['internal'] as const) : []),
    ...(secure ? (['sasl', 'ssl', 'saslSsl'] as const) : []),
  ];
}

/** Gives out ports: first the plain ones of all brokers, so that they stand in a row, then kind by kind. */
export function portsOf(settings: ClusterSettings, numbers: readonly number[]): readonly Ports[] {
  const kinds = portKinds(settings);
  return Array.from({ length: settings.brokers }, (_, broker) => {
    const pairs = kinds.map((kind, i) => [kind, numbers[i * settings.brokers + broker]!] as const);
    return Object.fromEntries(pairs) as unknown as Ports;
  });
}

/** An id of 22 characters as Kafka writes them, the same for the same words. */
export function idOf(...words: readonly (string | number)[]): string {
  const id = createHash('sha256').update(words.join('\n')).digest().subarray(0, 16).toString('base64url');
  // a word that begins with a dash looks like an option
  return id.startsWith('-') ? `A${id.slice(1)}` : id;
}
