import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { say } from './testing.fixture.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const orders = fileURLToPath(new URL('../examples/orders/workflows.ts', import.meta.url));

test('orders are served, started, approved and listed from the command line, also behind a restart', {
  timeout: 600_000,
}, async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-serve-'));
  try {
    let server = await serving(cwd);
    assert.deepEqual(server.published, ['order 1.0.0']);
    let env = { NODEFLOW_GATEWAY_URL: server.url };
    const paid = await say(
      cwd,
      ['execution', 'start', 'order', '--input', '{"customer":"ann","total":80,"card":"busy"}', '--wait'],
      env,
    );
    assert.equal(paid.code, 0, paid.err.join('\n'));
    assert.match(paid.out[0]!, /order 1\.0\.0, COMPLETED/);
    const large = [
      'execution',
      'start',
      'order',
      '--input',
      '{"customer":"bob","total":5000,"card":"good"}',
      '--key',
      'k',
      '--json',
    ];
    const { execution } = JSON.parse((await say(cwd, large, env)).out[0]!);
    for (let text = ''; !/pay has not run: it waits for approve, which is RUNNING/.test(text); ) {
      const asked = await say(cwd, ['execution', 'explain', execution, 'pay'], env);
      text = asked.out[0]!;
      assert.match(text, /^pay has not run: it waits for /);
    }
    await server.stop();

    server = await serving(cwd);
    env = { NODEFLOW_GATEWAY_URL: server.url };
    assert.equal(JSON.parse((await say(cwd, large, env)).out[0]!).existing, true);
    const shown = JSON.parse((await say(cwd, ['execution', 'show', execution, '--json'], env)).out[0]!);
    const { token } = shown.nodes.find((node: { readonly id: string }) => node.id === 'approve').wait;
    assert.equal((await say(cwd, ['execution', 'approve', token], env)).code, 0);
    const again = await say(cwd, [...large.slice(0, -1), '--wait'], env);
    assert.match(again.out[0]!, /COMPLETED/);
    const unfit = await say(cwd, ['execution', 'start', 'order', '--input', '{"customer":"ann","total":"much"}'], env);
    assert.match(unfit.err.join('\n'), /\/total "total" must be number/);
    assert.match(unfit.err.join('\n'), /\/card the input "card" is missing; Give it, or make it optional/);
    const list = ['execution', 'list', '--workflow', 'order', '--status', 'COMPLETED', '--json'];
    // the read side is behind by a moment
    for (let count = 0; count < 2; ) count = (await say(cwd, list, env)).out.filter((line) => line !== '').length;
    await server.stop();
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
});

test('a file that holds no workflows is refused', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'nodeflow-serve-'));
  const missing = await say(cwd, ['serve', 'nothing.json']);
  assert.match(missing.err.join('\n'), /there is no file .*nothing\.json; check the path/);
  rmSync(cwd, { recursive: true, force: true });
});

const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process of its own, ready. */
async function serving(
  cwd: string,
): Promise<{ readonly url: string; readonly published: readonly string[]; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [main, 'serve', orders, '--port', '0', '--json'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  void ended.then(() => children.delete(child));
  const lines = createInterface(child.stdout);
  const first = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve);
    void ended.then((code) => reject(new Error(`serve ended with ${code}`)));
  });
  return {
    ...(JSON.parse(first) as { readonly url: string; readonly published: readonly string[] }),
    async stop() {
      child.kill('SIGTERM');
      assert.equal(await ended, 0);
    },
  };
}
