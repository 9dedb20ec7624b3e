import { ERRORS, type ErrorCode } from '../core/errors.ts';
import { CONFIG_KEYS, type ConfigKey, environmentName, typeInWords } from './config-keys.ts';
import { EXIT_CODES, exitCodeOfError } from './exit-codes.ts';

const cell = (text: string) => text.replaceAll('|', '\\|');

/** docs/configuration.md, from the table of keys. */
export function configurationReference(): string {
  const rows = Object.entries<ConfigKey>(CONFIG_KEYS).map(([key, { type, default: fallback, about }]) =>
    [`\`${key}\``, `\`${environmentName(key)}\``, typeInWords(type), shownDefault(type.kind, fallback), about]
      .map(cell)
      .join(' | '),
  );
  return [
    '# Configuration',
    '',
    'Printed from `cli/config-keys.ts` by `npm run docs`; a test compares.',
    '',
    'A value is taken from the first of these that has it:',
    '',
    '1. the command line: `--set key=value`, and the options that stand for a key (`--data`, `--workers`, `--until`, `--metrics-port`, `--log-level`);',
    '2. environment variables;',
    '3. the file named by `--config` or by `NODEFLOW_CONFIG`, else `nodeflow.json` in the current folder;',
    '4. the default.',
    '',
    'In a file, `{ "run": { "workers": 2 } }` and `{ "run.workers": 2 }` say the same. An unknown key, in a file, an option or a variable that begins with `NODEFLOW_`, is an error. Durations are milliseconds or carry `ms`, `s`, `min`, `h`; sizes are bytes or carry `KiB`, `MiB`, `GiB`.',
    '',
    'key | variable | takes | default | what it does',
    '--- | --- | --- | --- | ---',
    ...rows,
    '',
  ].join('\n');
}

function shownDefault(kind: ConfigKey['type']['kind'], value: string | number | undefined): string {
  if (value === undefined) return 'none';
  if (typeof value === 'string') return `\`${value}\``;
  if (kind === 'duration') return value % 1000 === 0 ? `${value / 1000} s` : `${value} ms`;
  if (kind !== 'size') return String(value);
  return value % 1024 ** 2 === 0 ? `${value / 1024 ** 2} MiB` : `${value / 1024} KiB`;
}

const KINDS = {
  user: 'something was asked for that cannot be done as asked',
  permanent: 'trying again will not help',
  system: 'the machine, a file or another process',
  transient: 'trying again may help; the engine does so itself where it can',
};

/** docs/errors.md, from the table of errors. */
export function errorReference(): string {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  return [
    '# Errors',
    '',
    'Printed from `core/errors.ts` and `cli/exit-codes.ts` by `npm run docs`; a test compares.',
    '',
    'An error is a `FlowError` with a code of this table; its message names the thing and the cure. The command line prints one line, `nodeflow: <message> [<code>]`, with `--json` a JSON line with `error` and `message`, both on standard error; a stack only with `--verbose`.',
    '',
    '## Exit codes',
    '',
    'code | when',
    '--- | ---',
    ...Object.entries(EXIT_CODES).map(([code, when]) => `${code} | ${when}`),
    '',
    '## Kinds',
    '',
    'kind | meaning',
    '--- | ---',
    ...Object.entries(KINDS).map(([kind, meaning]) => `${kind} | ${meaning}`),
    '',
    '## Codes',
    '',
    'code | kind | exit | what happened | cure',
    '--- | --- | --- | --- | ---',
    ...codes.map((code) => {
      const { kind, cause, cure } = ERRORS[code];
      return [`\`${code}\``, kind, String(exitCodeOfError(code)), cause, cure].map(cell).join(' | ');
    }),
    '',
  ].join('\n');
}
