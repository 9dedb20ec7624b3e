import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { addressesOf, type ClusterSettings, idOf, portKinds, portsOf } from './cluster.ts';
import { type BrokerPlan, metaProperties, serverProperties } from './properties.ts';
import { securityIn } from './security.ts';

const ONE: BrokerPlan = { id: 1, folder: '/b', ports: { plain: 1, controller: 2 }, controllers: [2], extra: [] };

function parsed(plan: BrokerPlan): { readonly [key: string]: string } {
  const lines = serverProperties(plan).trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

test('one broker is its own controller and keeps one copy of everything', () => {
  const all = parsed(ONE);
  assert.equal(all['listeners'], 'PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2');
  assert.equal(all['advertised.listeners'], 'PLAINTEXT://127.0.0.1:1');
  assert.equal(all['controller.quorum.voters'], '1@127.0.0.1:2');
  assert.equal(all['log.dirs'], join('/b', 'data').replaceAll('\\', '\\\\'));
  assert.equal(all['log.retention.ms'], '-1');
  assert.equal(all['transaction.state.log.replication.factor'], '1');
  assert.equal(all['replica.lag.time.max.ms'], undefined);
});

test('three brokers keep three copies and notice faults soon', () => {
  const all = parsed({ ...ONE, id: 2, controllers: [2, 12, 22] });
  assert.equal(all['node.id'], '2');
  assert.equal(all['controller.quorum.voters'], '1@127.0.0.1:2,2@127.0.0.1:12,3@127.0.0.1:22');
  assert.equal(all['default.replication.factor'], '3');
  assert.equal(all['min.insync.replicas'], '2');
  assert.equal(all['replica.lag.time.max.ms'], '5000');
});

test('clients may be told another address; brokers speak to each other beside it', () => {
  const all = parsed({ ...ONE, ports: { plain: 1, controller: 2, internal: 3 }, advertise: 'proxy:9' });
  assert.equal(all['advertised.listeners'], 'PLAINTEXT://proxy:9,INTERNAL://127.0.0.1:3');
  assert.equal(all['inter.broker.listener.name'], 'INTERNAL');
});

test('secure listeners know their protocols, users and certificates', () => {
  const ports = { plain: 1, controller: 2, sasl: 4, ssl: 5, saslSsl: 6 };
  const all = parsed({ ...ONE, ports, security: securityIn('/c') });
  assert.match(all['listener.security.protocol.map']!, /SASL:SASL_PLAINTEXT,SSL:SSL,SASLSSL:SASL_SSL/);
  assert.match(all['listener.name.saslssl.plain.sasl.jaas.config']!, /user_alice="alice-secret";$/);
  assert.equal(all['listener.name.ssl.ssl.client.auth'], 'required');
});

test('properties that are given win, and backslashes stay', () => {
  const all = parsed({
    ...ONE,
    extra: [
      ['num.partitions', '9'],
      ['x', 'a\\b'],
    ],
  });
  assert.equal(all['num.partitions'], '9');
  assert.equal(all['x'], 'a\\\\b');
});

test('ports are given out in rows, and addresses follow them', () => {
  const settings: ClusterSettings = { brokers: 3, secure: true, advertise: [], extra: [] };
  assert.deepEqual(portKinds({ ...settings, advertise: ['a:1', 'b:2', 'c:3'] })[2], 'internal');
  const ports = portsOf(
    settings,
    Array.from({ length: 15 }, (_, i) => 100 + i),
  );
  assert.deepEqual(ports[1], { plain: 101, controller: 104, sasl: 107, ssl: 110, saslSsl: 113 });
  const addresses = addressesOf('/c', { version: '4', clusterId: 'x', settings, ports });
  assert.equal(addresses.brokers, '127.0.0.1:100,127.0.0.1:101,127.0.0.1:102');
  assert.equal(addresses.ssl, '127.0.0.1:109,127.0.0.1:110,127.0.0.1:111');
  assert.equal(addresses.ca, join('/c', 'tls', 'ca.pem'));
});

test('ids are of 22 characters and name the same for the same words', () => {
  assert.equal(idOf('a', 1), idOf('a', 1));
  for (let i = 0; i < 200; i++) assert.match(idOf(i), /^[A-Za-z0-9_][\w-]{21}$/);
  assert.match(metaProperties(2, 'c', 'd'), /^version=1\nnode\.id=2\ncluster\.id=c\ndirectory\.id=d\n$/);
});
