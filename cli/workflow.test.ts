import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLanguage } from '../workflows/workflows.ts';
import { say } from './testing.fixture.ts';

const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-workflow-'));
after(() => rmSync(cwd, { recursive: true }));

const step = { id: 'a', type: 'expression', data: { config: { value: '= input.total' } } };
const good = { apiVersion: 'nodeflow/v1', id: 'orders', name: 'Orders', version: '1.0.0', nodes: [step], edges: [] };
writeFileSync(join(cwd, 'good.json'), JSON.stringify(good));
writeFileSync(join(cwd, 'next.json'), JSON.stringify({ ...good, version: '1.1.0' }));
writeFileSync(join(cwd, 'bad.json'), JSON.stringify({ ...good, nodes: [{ ...step, type: 'expresion' }], edgs: [] }));
writeFileSync(join(cwd, 'broken.json'), '{');

test('workflow validate tells all faults, or that there are none', async () => {
  assert.deepEqual(await say(cwd, ['workflow', 'validate', 'good.json']).then(({ code, out }) => [code, out]), [
    0,
    ['orders 1.0.0 has no faults'],
  ]);
  const bad = await say(cwd, ['workflow', 'validate', 'bad.json']);
  assert.equal(bad.code, 2);
  assert.deepEqual(bad.out, [
    '/edgs: the document has no field edgs',
    '  Did you mean edges? (workflow.unknown-field)',
    '/nodes/0/type: a has the type expresion, which is not known',
    '  Did you mean expression? (workflow.unknown-type)',
    '2 faults',
  ]);
  const json = await say(cwd, ['workflow', 'validate', 'bad.json', '--json']);
  const told = JSON.parse(json.out[0]!) as { readonly valid: boolean; readonly faults: readonly object[] };
  assert.deepEqual([json.code, told.valid, told.faults.length], [2, false, 2]);
});

test('workflow describe and diff', async () => {
  const described = await say(cwd, ['workflow', 'describe', 'good.json']);
  assert.equal(described.code, 0);
  assert.equal(described.out[0], 'orders 1.0.0: Orders');
  const diff = await say(cwd, ['workflow', 'diff', 'good.json', 'next.json']);
  assert.deepEqual([diff.code, diff.out[0]], [0, 'the version was 1.0.0, is now 1.1.0']);
  const faulty = await say(cwd, ['workflow', 'diff', 'good.json', 'bad.json']);
  assert.equal(faulty.code, 2);
  assert.match(faulty.err.join('\n'), /bad.json has 2 faults:/);
});

test('workflow says what it takes, and what cannot be read', async () => {
  for (const words of [
    ['none', 'x'],
    ['diff', 'good.json'],
    ['validate', 'a', 'b'],
    ['validate', 'no.json'],
    ['validate', 'broken.json'],
  ]) {
    const { code, err } = await say(cwd, ['workflow', ...words]);
    assert.equal(code, 2, words.join(' '));
    assert.match(err.join('\n'), /there is no action none|takes (one|two) file|there is no file|is no JSON/);
  }
});

test('nodes lists the types, and tells about each', async () => {
  const { types } = createLanguage().catalog;
  const all = await say(cwd, ['nodes']);
  assert.equal(all.out.length, types.length + 1);
  for (const { name } of types) {
    const one = await say(cwd, ['nodes', name]);
    assert.equal(one.code, 0);
    assert.match(one.out[0]!, new RegExp(`^${name}@1: `));
    const json = JSON.parse((await say(cwd, ['nodes', name, '--json'])).out[0]!) as {
      readonly name: string;
      readonly config: object;
    };
    assert.deepEqual([json.name, typeof json.config], [name, 'object']);
  }
  const unknown = await say(cwd, ['nodes', 'swich']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.err.join('\n'), /did you mean switch\?/);
});
