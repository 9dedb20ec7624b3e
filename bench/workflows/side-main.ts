import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Peer } from '../peers/workflows/peer.ts';
import { stopServers } from '../peers/workflows/server.ts';
import { measureSide, type SideOptions } from './side.ts';

/**
 * The process of one engine: its name and the options as JSON. It tells its parent what came out, and ends, with all that
 * it has started, when its parent does.
 */
const SIDES: { readonly [name: string]: () => Promise<{ createPeer(): Peer }> } = {
  engine: () => import('../peers/workflows/engine.ts'),
  restate: () => import('../peers/workflows/restate.ts'),
  bullmq: () => import('../peers/workflows/bullmq.ts'),
  dbos: () => import('../peers/workflows/dbos.ts'),
  temporal: () => import('../peers/workflows/temporal.ts'),
  floor: () => import('../peers/workflows/floor.ts'),
};

const [name, json] = process.argv.slice(2) as [string, string];
const folder = mkdtempSync(join(tmpdir(), `nodeflow-peer-${name}-`));
// a server that runs as another user goes through it
chmodSync(folder, 0o711);
let ending: Promise<void> | undefined;
const end = () => {
  ending ??= stopServers().finally(() => rmSync(folder, { recursive: true, force: true }));
  return ending;
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) {
  process.once(signal, () => void end().finally(() => process.exit(130)));
}

const { createPeer } = await SIDES[name]!();
try {
  const peer = createPeer();
  await peer.start(folder);
  await peer.load();
  const result = await measureSide(peer, JSON.parse(json) as SideOptions);
  await peer.stop();
  await new Promise((resolve) => process.send!(result, resolve));
} catch (thrown) {
  console.error(thrown);
  process.exitCode = 1;
}
await end();
process.exit();
