import { FlowError } from '../core/errors.ts';
import type { Config } from './config.ts';
import type { ConfigName } from './config-keys.ts';
import { pemOf } from './pem.ts';
import type { KafkaSettings } from './wire.ts';

/** How to reach a Kafka cluster, from the configuration. */
export function kafkaSettings(config: Config, cwd: string): KafkaSettings {
  const replication = config.number('kafka.replication');
  const tls = tlsOf(config, cwd);
  const sasl = saslOf(config);
  return {
    clientId: config.text('kafka.clientId')!,
    patienceMs: config.number('kafka.patience')!,
    ...(replication === undefined ? {} : { replication }),
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

function tlsOf(config: Config, cwd: string): KafkaSettings['tls'] {
  const pem = (key: ConfigName) => pemOf(config, key, cwd);
  const [ca, cert, key] = [pem('kafka.ca'), pem('kafka.certificate'), pem('kafka.key')];
  const wanted = config.text('kafka.tls') ?? (ca === undefined ? 'off' : 'on');
  if (wanted === 'off') return undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function saslOf(config: Config): KafkaSettings['sasl'] {
  const mechanism = config.text('kafka.mechanism');
  if (mechanism === undefined) return undefined;
  const needed = (key: ConfigName) => {
    const value = config.text(key);
    if (value !== undefined) return value;
    throw new FlowError('config.invalid', `kafka.mechanism is ${mechanism}, which needs ${key}; set it`);
  };
  if (mechanism === 'OAUTHBEARER') return { mechanism, token: needed('kafka.token') };
  const username = needed('kafka.username');
  const password = needed('kafka.password');
  return { mechanism: mechanism as 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512', username, password };
}
