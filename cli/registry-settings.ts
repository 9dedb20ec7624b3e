import type { Config } from './config.ts';
import type { ConfigName } from './config-keys.ts';
import { pemOf } from './pem.ts';
import type { EngineOptions } from './wire.ts';

/** Which schema registry, and how to reach it, from the configuration. */
export function registrySettings(config: Config, cwd: string): EngineOptions['registry'] {
  const url = config.text('registry.url');
  if (url === undefined || url === 'embedded') return url;
  const pem = (key: ConfigName) => pemOf(config, key, cwd);
  return {
    url,
    username: config.text('registry.username'),
    password: config.text('registry.password'),
    ca: pem('registry.ca'),
    certificate: pem('registry.certificate'),
    key: pem('registry.key'),
    patienceMs: config.number('registry.patience'),
  };
}
