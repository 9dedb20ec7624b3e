import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FlowError, messageOf } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import type { RunSettings } from '../runtime/runtime.ts';
import { registerSecretsOf } from '../telemetry/telemetry.ts';
import {
  CONFIG_KEYS,
  CONFIG_NAMES,
  type ConfigKey,
  type ConfigName,
  environmentName,
  typeInWords,
} from './config-keys.ts';

/** Values by key, checked and in base units (milliseconds, bytes), and where each came from. */
export interface Config {
  text(key: ConfigName): string | undefined;
  number(key: ConfigName): number | undefined;
  readonly origins: ReadonlyMap<string, string>;
}

export interface ConfigInputs {
  readonly cwd: string;
  readonly env: { readonly [name: string]: string | undefined };
  /** The file named on the command line; else `nodeflow.json` of the folder, where there is one. */
  readonly file?: string | undefined;
  /** From the command line: they win over the environment, and that over the file. */
  readonly overrides?: readonly (readonly [key: string, value: string, origin: string])[];
}

/** Environment variables with our prefix that are no configuration keys. */
const OTHER_VARIABLES = ['NODEFLOW_CONFIG', 'NODEFLOW_FAILPOINT', 'NODEFLOW_TEST_BROKERS', 'NODEFLOW_TEST_FOLDER'];

/** Reads the configuration. Fails with `config.invalid` at the first key or value that does not fit. */
export function loadConfig({ cwd, env, file, overrides = [] }: ConfigInputs): Config {
  const values = new Map<string, string | number>();
  const origins = new Map<string, string>();
  const take = (key: string, value: unknown, origin: string) => {
    values.set(key, checked(key, value, origin));
    origins.set(key, origin);
  };
  for (const [key, { default: fallback }] of Object.entries<ConfigKey>(CONFIG_KEYS)) {
    if (fallback !== undefined) values.set(key, fallback);
  }
  const named = file ?? env['NODEFLOW_CONFIG'];
  const path = resolve(cwd, named ?? 'nodeflow.json');
  if (named !== undefined || existsSync(path)) {
    for (const [key, value] of flattened(readConfigFile(path))) take(key, value, path);
  }
  const variables = new Map(CONFIG_NAMES.map((key) => [environmentName(key), key]));
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('NODEFLOW_') || OTHER_VARIABLES.includes(name) || value === undefined) continue;
    const key = variables.get(name);
    if (key === undefined) {
      const hint = didYouMean(name, [...variables.keys()]);
      throw new FlowError('config.invalid', `the environment variable ${name} is no configuration key${hint}`);
    }
    take(key, value, `environment variable ${name}`);
  }
  for (const [key, value, origin] of overrides) take(key, value, origin);
  return {
    text: (key) => values.get(key) as string | undefined,
    number: (key) => values.get(key) as number | undefined,
    origins,
  };
}

/** The part of the configuration that a run takes. */
export function runSettings(config: Config): RunSettings {
  return {
    guarantee: config.text('run.guarantee') as RunSettings['guarantee'],
    plane: 'data',
    workers: config.number('run.workers')!,
    instanceId: config.text('run.instanceId'),
    sessionTimeoutMs: config.number('run.sessionTimeout'),
    until: config.text('run.until') as RunSettings['until'],
    onFailure: config.text('run.onFailure') as RunSettings['onFailure'],
    onLostPosition: config.text('run.onLostPosition') as RunSettings['onLostPosition'],
    deadLetters: undefined,
    letterWords: { told: {}, owners: {} },
    keepCounts: false,
    rack: config.text('run.rack'),
    standbys: config.number('state.standbys')!,
    acceptableLag: config.number('state.acceptableLag')!,
    commitIntervalMs: config.number('run.commitInterval')!,
    idleMs: config.number('run.idle')!,
    batchBytes: config.number('run.batchSize')!,
    compression: config.text('output.compression') as RunSettings['compression'],
    intakeBytes: config.number('run.intakeSize')!,
    intakeRecords: config.number('run.intakeRecords')!,
    sliceRecords: config.number('run.sliceRecords')!,
    heldBytes: config.number('run.heldSize')!,
    stateBytes: config.number('state.memory')!,
    writeBackMs: config.number('state.writeBackInterval')!,
    writeBackBytes: config.number('state.writeBackSize')!,
  };
}

/** The folders of the log and of the local stores. */
export function dataFolder(config: Config, cwd: string): string {
  return join(resolve(cwd, config.text('data.folder')!));
}

function readConfigFile(path: string): unknown {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new FlowError(
      'file.missing',
      `the configuration file ${path} cannot be read (${messageOf(thrown)}); check the path`,
    );
  }
  try {
    const content: unknown = JSON.parse(source);
    if (typeof content === 'object' && content !== null) registerSecretsOf(content);
    return content;
  } catch (thrown) {
    throw new FlowError('config.invalid', `the configuration file ${path} is not JSON: ${messageOf(thrown)}`);
  }
}

/** `{ run: { workers: 2 } }` and `{ "run.workers": 2 }` say the same. */
function flattened(value: unknown, prefix = ''): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[prefix, value]];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name === '$schema' && prefix === '') return [];
    return flattened(inner, prefix === '' ? name : `${prefix}.${name}`);
  });
}

function checked(key: string, value: unknown, origin: string): string | number {
  const known: ConfigKey | undefined = Object.hasOwn(CONFIG_KEYS, key) ? CONFIG_KEYS[key as ConfigName] : undefined;
  if (known === undefined) {
    const hint = didYouMean(key, CONFIG_NAMES);
    throw new FlowError(
      'config.invalid',
      `unknown configuration key ${key === '' ? '(no object)' : key} in ${origin}${hint}`,
    );
  }
  const result = parsed(known, value);
  if (result !== undefined) return result;
  const wants = typeInWords(known.type).replaceAll('`', '');
  throw new FlowError('config.invalid', `${key} in ${origin} is ${JSON.stringify(value)}; it takes ${wants}`);
}

const UNITS = {
  duration: { '': 1, ms: 1, s: 1000, min: 60_000, h: 3_600_000 },
  size: { '': 1, b: 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3, kb: 1000, mb: 1000 ** 2, gb: 1000 ** 3 },
} as const;

function parsed({ type }: ConfigKey, value: unknown): string | number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const written = String(value).trim();
  if (type.kind === 'text') return written === '' ? undefined : written;
  if (type.kind === 'choice') return type.of.includes(written) ? written : undefined;
  if (type.kind === 'count') {
    const number = /^\d+$/.test(written) ? Number(written) : Number.NaN;
    return number >= type.min && number <= type.max ? number : undefined;
  }
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(written);
  if (match === null) return undefined;
  const units: { readonly [unit: string]: number } = UNITS[type.kind];
  const unit = units[match[2]!.toLowerCase()];
  const number = unit === undefined ? Number.NaN : Number(match[1]) * unit;
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
