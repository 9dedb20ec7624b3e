import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { Connection } from './connection.ts';
import { API, type ApiName, type Frame } from './frames.ts';
import { ActiveRule, type Direction, type Rule } from './rules.ts';

/**
 * Stands between clients and brokers of Kafka, sees every request and answer, and does with them what networks do:
 * loses them, holds them back, delivers them twice or late, breaks connections or lets them fall silent. Each broker
 * has a gate; brokers advertise the port of their gate. What is to happen is said in rules (`rules.ts`): the first
 * rule that takes a frame acts on it.
 */
export interface KafkaProxy {
  /** The ports to which clients connect, one a gate. */
  readonly ports: readonly number[];
  add(rule: Rule): ActiveRule;
  /** Removes every rule, and lets go what they hold. */
  clear(): void;
  /** Connections that clients have open. */
  readonly clients: number;
  /** Requests and answers of a kind that have come to the proxy. */
  seen(api: ApiName, direction?: Direction): number;
  /** Breaks every connection, or those to one broker. */
  cut(broker?: number): void;
  /** Breaks every connection on the clients' side alone: what is on its way to a broker still arrives. */
  cutClients(broker?: number): void;
  /** Every connection to the broker, present and future, stays open and carries nothing, until the answer is called. */
  silence(broker?: number): () => void;
  close(): Promise<void>;
}

export interface Gate {
  /** The broker's number, for rules. */
  readonly broker: number;
  readonly host?: string;
  /** Where the broker listens; asked at each connection, since brokers may start behind their proxy. */
  readonly port: number | (() => number);
  /** Where clients connect. Default: any that is free. */
  readonly listen?: number;
}

const LOOPBACK = '127.0.0.1';

export async function startProxy(clock: Clock, gates: readonly Gate[]): Promise<KafkaProxy> {
  const rules: ActiveRule[] = [];
  const connections = new Map<Connection, number>();
  const seen = new Map<string, number>();
  const silent = new Set<number>();
  const servers: Server[] = [];
  const ports: number[] = [];
  let clients = 0;
  for (const gate of gates) {
    const server = createServer({ allowHalfOpen: true }, (client) => {
      const connection = new Connection({
        client,
        broker: gate.broker,
        target: { host: gate.host ?? LOOPBACK, port: typeof gate.port === 'number' ? gate.port : gate.port() },
        clock,
        rule: (direction, broker, frame) => rules.find((each) => each.takes(direction, broker, frame)),
        count(direction: Direction, frame: Frame) {
          const name = `${frame.api} ${direction}`;
          seen.set(name, (seen.get(name) ?? 0) + 1);
        },
        closed: () => connections.delete(connection),
      });
      clients++;
      client.on('close', () => {
        clients--;
      });
      client.on('end', () => client.end());
      connections.set(connection, gate.broker);
      if (silent.has(gate.broker)) connection.silence();
    });
    server.listen(gate.listen ?? 0, LOOPBACK);
    await once(server, 'listening');
    servers.push(server);
    ports.push((server.address() as { port: number }).port);
  }
  const to = (broker: number | undefined) =>
    [...connections].filter(([, each]) => broker === undefined || each === broker).map(([connection]) => connection);
  return {
    ports,
    get clients() {
      return clients;
    },
    add(rule) {
      const active = new ActiveRule(rule);
      rules.push(active);
      return active;
    },
    clear() {
      for (const rule of rules.splice(0)) rule.remove();
    },
    seen: (api, direction = 'request') => seen.get(`${API[api]} ${direction}`) ?? 0,
    cut(broker) {
      for (const connection of to(broker)) connection.cut();
    },
    cutClients(broker) {
      for (const connection of to(broker)) connection.cutClient();
    },
    silence(broker) {
      const brokers = gates.map((gate) => gate.broker).filter((each) => broker === undefined || each === broker);
      for (const each of brokers) silent.add(each);
      for (const connection of to(broker)) connection.silence();
      return () => {
        for (const each of brokers) silent.delete(each);
      };
    },
    async close() {
      for (const rule of rules.splice(0)) rule.remove();
      for (const connection of connections.keys()) connection.cut();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

export { KAFKA_ERROR } from './failed-answer.ts';
export { API, type ApiName, type Frame } from './frames.ts';
export { type Action, ActiveRule, type Direction, type Rule } from './rules.ts';
