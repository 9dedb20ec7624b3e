import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DEFAULT_SETTINGS } from '../runtime/runtime.ts';
import { type ConfigInputs, loadConfig, runSettings } from './config.ts';
import { CONFIG_NAMES, environmentName } from './config-keys.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-config-'));
after(() => rmSync(cwd, { recursive: true }));

const load = (inputs: Partial<ConfigInputs> = {}) => loadConfig({ cwd, env: {}, ...inputs });
const fileWith = (name: string, content: unknown) => {
  const path = join(cwd, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

test('without any input the defaults hold', () => {
  const config = load();
  assert.deepEqual(runSettings(config), DEFAULT_SETTINGS);
  assert.equal(config.text('data.folder'), '.nodeflow/data');
  assert.equal(config.number('metrics.port'), undefined);
});

test('the command line wins over the environment, and that over the file', () => {
  const file = fileWith('a.json', {
    run: { workers: 2, batchSize: '1MiB' },
    'state.memory': '64 MiB',
    'logging.level': 'debug',
  });
  const env = { NODEFLOW_RUN_WORKERS: '3', NODEFLOW_STATE_MEMORY: '1GiB', PATH: '/bin' };
  const config = load({ file, env, overrides: [['run.workers', '4', '--workers']] });
  assert.equal(config.number('run.workers'), 4);
  assert.equal(config.number('state.memory'), 1024 ** 3);
  assert.equal(config.number('run.batchSize'), 1024 ** 2);
  assert.equal(config.text('logging.level'), 'debug');
  assert.equal(config.origins.get('state.memory'), 'environment variable NODEFLOW_STATE_MEMORY');
});

test('nodeflow.json of the folder is read, and so is the file that NODEFLOW_CONFIG names', () => {
  fileWith('nodeflow.json', { run: { commitInterval: '2s' } });
  assert.equal(load().number('run.commitInterval'), 2000);
  const other = fileWith('other.json', { 'run.commitInterval': 7 });
  assert.equal(load({ env: { NODEFLOW_CONFIG: other } }).number('run.commitInterval'), 7);
  rmSync(join(cwd, 'nodeflow.json'));
});

test('every key has a variable of its own', () => {
  const names = CONFIG_NAMES.map(environmentName);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes('NODEFLOW_RUN_COMMIT_INTERVAL'));
});

const WRONG: readonly (readonly [string, Partial<ConfigInputs>, RegExp])[] = [
  [
    'an unknown key',
    { overrides: [['run.worker', '2', '--set']] },
    /unknown configuration key run\.worker in --set; did you mean run\.workers/,
  ],
  ['a key without its group', { overrides: [['workers', '2', '--set']] }, /did you mean run\.workers/],
  [
    'an unknown variable',
    { env: { NODEFLOW_RUN_WORKER: '2' } },
    /NODEFLOW_RUN_WORKER is no configuration key; did you mean NODEFLOW_RUN_WORKERS/,
  ],
  [
    'a word for a count',
    { overrides: [['run.workers', 'many', '--set']] },
    /run\.workers in --set is "many"; it takes whole number from 1 to 64/,
  ],
  ['a count out of range', { env: { NODEFLOW_RUN_WORKERS: '0' } }, /takes whole number from 1 to 64/],
  [
    'another choice',
    { overrides: [['log.driver', 'redis', '--set']] },
    /takes file, memory, kafka, kafkajs, confluent/,
  ],
  ['an unknown unit', { overrides: [['state.memory', '5 parsecs', '--set']] }, /takes size/],
  ['no duration', { overrides: [['run.commitInterval', '0', '--set']] }, /takes duration/],
  ['an inherited name', { overrides: [['toString', '0', '--set']] }, /unknown configuration key toString/],
];
for (const [name, inputs, message] of WRONG) {
  test(`refuses ${name}`, () => {
    assert.throws(() => load(inputs), { code: 'config.invalid', message });
  });
}

test('refuses a file that is not there, no JSON, or has unknown keys', () => {
  assert.throws(() => load({ file: 'gone.json' }), { code: 'file.missing', message: /gone\.json/ });
  assert.throws(() => load({ file: fileWith('b.json', '{ nope') }), { code: 'config.invalid', message: /is not JSON/ });
  assert.throws(() => load({ file: fileWith('c.json', { run: { wrokers: 1 } }) }), {
    message: /run\.wrokers.*did you mean run\.workers/,
  });
  assert.throws(() => load({ file: fileWith('d.json', [1]) }), { code: 'config.invalid' });
});
