import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFlowError, messageOf } from '../../core/errors.ts';
import { taskId } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import { createStateBackend } from '../../state/state.ts';
import type { Call, Command } from '../command.ts';
import { dataFolder } from '../config.ts';
import { withLog } from '../engine.ts';
import { loadTopology, NAME_OPTION } from '../program.ts';
import type { World } from '../world.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
}

const FLOOR = [22, 22] as const;
const LOW_DISK_BYTES = 1024 ** 3;

export const doctor: Command = {
  name: 'doctor',
  parameters: '[file]',
  about: 'Checks this machine, the data folder, and the topics of a topology where a file is given.',
  words: { min: 0, max: 1 },
  options: NAME_OPTION,
  async run(call, world) {
    const config = call.config();
    const folder = dataFolder(config, world.cwd);
    const findings = [
      checkNode(),
      await checkStore(world),
      await checkDisk(folder),
      ...(await checkLog(call, folder, world)),
    ];
    if (call.json) for (const finding of findings) world.out(JSON.stringify(finding));
    else for (const { check, ok, found } of findings) world.out(`${ok ? 'ok  ' : 'BAD '} ${check}: ${found}`);
    return findings.every(({ ok }) => ok) ? 0 : 1;
  },
};

function checkNode(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const ok = major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1]);
  const found = `${process.versions.node} on ${process.platform} ${process.arch}`;
  return { check: 'Node', ok, found: ok ? found : `${found}; needs ${FLOOR.join('.')} or newer` };
}

/** Opens a store on disk in a folder of its own. */
async function checkStore(world: World): Promise<Finding> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeflow-doctor-'));
  let problem: string | undefined;
  const backend = createStateBackend({ onUnavailable: (message) => (problem = message) });
  try {
    const state = await backend.open({
      task: taskId('doctor', 0),
      directory,
      step: new Step(),
      clock: world.clock,
      budget: { maxBytes: 1024 ** 2, usedBytes: 0 },
      tables: [{ name: 'rows', windowed: false, ordered: false }],
      onQuarantine: (message) => (problem = message),
    });
    await state.close();
  } catch (thrown) {
    problem = messageOf(thrown);
  }
  await backend.close();
  await rm(directory, { recursive: true, force: true });
  return { check: 'RocksDB', ok: problem === undefined, found: problem ?? 'loads and opens a store' };
}

async function checkDisk(folder: string): Promise<Finding> {
  const probe = join(folder, `doctor-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(probe, 'x');
    await rm(probe);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const found = `${folder} is writable, ${(free / 1024 ** 3).toFixed(1)} GiB free`;
    return {
      check: 'Disk',
      ok: free >= LOW_DISK_BYTES,
      found: free >= LOW_DISK_BYTES ? found : `${found}: free some space`,
    };
  } catch (thrown) {
    return { check: 'Disk', ok: false, found: `${folder} cannot be written: ${messageOf(thrown)}` };
  }
}

async function checkLog(call: Call, folder: string, world: World): Promise<readonly Finding[]> {
  const [file] = call.words;
  if (!existsSync(join(folder, 'log')) && file === undefined) {
    return [{ check: 'Log', ok: true, found: 'none yet in this folder' }];
  }
  try {
    return await withLog(call, world, async ({ log }) => {
      const names = await log.admin.list();
      const findings: Finding[] = [{ check: 'Log', ok: true, found: `free, ${names.length} topics` }];
      if (file === undefined) return findings;
      const { plan } = await loadTopology(file, call, world);
      for (const topic of plan.topics) {
        const there = (await log.admin.describe(topic.name))?.settings.partitions;
        const ok = there === undefined || there === topic.partitions;
        const count = there === undefined ? 'not there yet; made at the first run' : `${there} partitions`;
        findings.push({
          check: `Topic ${topic.name}`,
          ok,
          found: ok ? count : `${count}; the topology says ${topic.partitions}`,
        });
      }
      return findings;
    });
  } catch (thrown) {
    if (!isFlowError(thrown) || !thrown.code.startsWith('log.')) throw thrown;
    return [{ check: 'Log', ok: false, found: thrown.message }];
  }
}
