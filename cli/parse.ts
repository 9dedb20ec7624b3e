import { parseArgs } from 'node:util';
import { FlowError } from '../core/errors.ts';
import type { Json } from '../core/ids.ts';
import { didYouMean } from '../core/nearest.ts';
import { type Call, COMMON_OPTIONS, type Command } from './command.ts';
import { loadConfig } from './config.ts';
import { momentOf } from './duration.ts';
import type { World } from './world.ts';

export interface Parsed extends Call {
  readonly help: boolean;
  readonly verbose: boolean;
}

/** Reads what stands behind the command's name. Fails with `option.unknown`. */
export function parseCall(command: Command, args: readonly string[], world: World): Parsed {
  const options = { ...COMMON_OPTIONS, ...command.options };
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
    ),
  });
  const words: string[] = [];
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) {
      const hint = didYouMean(token.name, Object.keys(options));
      throw wrong(command, `unknown option ${token.rawName}${hint}`);
    }
    const isSwitch = option.value === undefined;
    if (!isSwitch && token.value === undefined)
      throw wrong(command, `--${token.name} needs a value: <${option.value}>`);
    if (isSwitch && token.value !== undefined) throw wrong(command, `--${token.name} takes no value`);
    given.set(token.name, [...(given.get(token.name) ?? []), token.value ?? '']);
  }
  const last = (name: string) => given.get(name)?.at(-1);
  const help = given.has('help');
  if (!help && words.length < command.words.min) throw wrong(command, `what is missing: ${command.parameters}`);
  if (!help && words.length > command.words.max) throw wrong(command, `unexpected word ${words[command.words.max]}`);
  const overrides = overridesOf(command, given);
  return {
    words,
    help,
    verbose: given.has('verbose'),
    json: given.has('json'),
    option: last,
    options: (name) => given.get(name) ?? [],
    config: () => loadConfig({ cwd: world.cwd, env: world.env, file: last('config'), overrides }),
  };
}

/** Options that stand for configuration keys. */
const OPTION_KEYS: { readonly [option: string]: string } = {
  data: 'data.folder',
  workers: 'run.workers',
  until: 'run.until',
  'metrics-port': 'metrics.port',
  'log-level': 'logging.level',
};

function overridesOf(command: Command, given: ReadonlyMap<string, string[]>) {
  const overrides: [key: string, value: string, origin: string][] = [];
  for (const pair of given.get('set') ?? []) {
    const at = pair.indexOf('=');
    if (at < 1) throw wrong(command, `--set takes key=value, not ${pair}`);
    overrides.push([pair.slice(0, at), pair.slice(at + 1), '--set']);
  }
  for (const [option, key] of Object.entries(OPTION_KEYS)) {
    const value = given.get(option)?.at(-1);
    if (value !== undefined) overrides.push([key, value, `--${option}`]);
  }
  return overrides;
}

function wrong(command: Command, text: string): FlowError {
  return new FlowError('option.unknown', `${command.name}: ${text}; see nodeflow help ${command.name}`);
}

/** A whole number given as an option. */
export function numberOption(call: Call, name: string): number | undefined {
  const written = call.option(name);
  if (written === undefined) return undefined;
  if (!/^\d+$/.test(written)) throw new FlowError('option.unknown', `--${name} takes a whole number, not ${written}`);
  return Number(written);
}

/** JSON given as an option; null where it is not given. */
export function jsonOption(call: Call, name: string): Json {
  const text = call.option(name);
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new FlowError(
      'input.invalid',
      `--${name} is no JSON: ${text}; write texts in double quotes, such as '"paid"'`,
    );
  }
}

/** Milliseconds since the epoch. */
export function timeOption(call: Call, name: string): number | undefined {
  const written = call.option(name);
  if (written === undefined) return undefined;
  const time = momentOf(written);
  if (time === undefined) {
    throw new FlowError(
      'option.unknown',
      `--${name} takes a time with its zone, such as 2026-01-31T12:00:00Z, not ${written}`,
    );
  }
  return time;
}

/** An option that may be given several times, each time as `name=value`; `unfit` says what is wrong with another. */
export function pairsOption(call: Call, name: string, unfit: (text: string) => FlowError): { [name: string]: string } {
  const pairs = call.options(name).map((text): readonly [string, string] => {
    const equals = text.indexOf('=');
    if (equals < 1) throw unfit(text);
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  return Object.fromEntries(pairs);
}
