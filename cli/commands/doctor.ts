import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFlowError, messageOf } from '../../core/errors.ts';
import { taskId } from '../../core/ids.ts';
import { Step } from '../../core/step.ts';
import type { Finding } from '../../log/log.ts';
import { type ApplicationFindings, inspectApplication, inspectSchemas } from '../../runtime/runtime.ts';
import type { SchemaRegistry } from '../../schemas/schemas.ts';
import { createStateBackend } from '../../state/state.ts';
import type { Program } from '../../topology/topology.ts';
import type { Call, Command } from '../command.ts';
import { dataFolder } from '../config.ts';
import { logDriverOf, withLog } from '../engine.ts';
import { loadTopology, NAME_OPTION } from '../program.ts';
import type { World } from '../world.ts';

const FLOOR = [22, 22] as const;
const LOW_DISK_BYTES = 1024 ** 3;
const MARKS = { ok: 'ok  ', warn: 'WARN', bad: 'BAD ' } as const;
const stateOf = (ok: boolean) => (ok ? 'ok' : 'bad');

export const doctor: Command = {
  name: 'doctor',
  parameters: '[file]',
  about:
    'Checks this machine, the data folder or the Kafka cluster, and the topics of a topology where a file is given. ' +
    'Whatever is wrong is told with its cure.',
  words: { min: 0, max: 1 },
  options: NAME_OPTION,
  async run(call, world) {
    const config = call.config();
    const folder = dataFolder(config, world.cwd);
    const isLocal = ['file', 'memory'].includes(logDriverOf(config));
    const findings = [
      checkNode(),
      await checkStore(world),
      await checkDisk(folder),
      ...(await checkLog(call, isLocal ? folder : undefined, world)),
    ];
    for (const { check, state, found } of findings) {
      if (call.json) world.out(JSON.stringify({ check, ok: state !== 'bad', state, found }));
      else world.out(`${MARKS[state]} ${check}: ${found}`);
    }
    return findings.some(({ state }) => state === 'bad') ? 1 : 0;
  },
};

function checkNode(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const ok = major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1]);
  const found = `${process.versions.node} on ${process.platform} ${process.arch}`;
  return { check: 'Node', state: stateOf(ok), found: ok ? found : `${found}; needs ${FLOOR.join('.')} or newer` };
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
  return { check: 'RocksDB', state: stateOf(problem === undefined), found: problem ?? 'loads and opens a store' };
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
      state: stateOf(free >= LOW_DISK_BYTES),
      found: free >= LOW_DISK_BYTES ? found : `${found}: free some space`,
    };
  } catch (thrown) {
    return { check: 'Disk', state: 'bad', found: `${folder} cannot be written: ${messageOf(thrown)}` };
  }
}

/** What a log says of itself, and what an application would find in it; a folder that has none yet is left as it is. */
async function checkLog(call: Call, folder: string | undefined, world: World): Promise<readonly Finding[]> {
  const [file] = call.words;
  if (folder !== undefined && !existsSync(join(folder, 'log')) && file === undefined) {
    return [{ check: 'Log', state: 'ok', found: 'none yet in this folder' }];
  }
  const program = file === undefined ? undefined : await loadTopology(file, call, world);
  const found = await orFinding(
    withLog(call, world, async (engine) => {
      const { log } = engine;
      const count = (await log.admin.list()).length;
      const findings: Finding[] = [
        { check: 'Log', state: 'ok', found: `${OPEN[log.capabilities.driver] ?? 'free'}, ${count} topics` },
      ];
      const application = program === undefined ? undefined : await orFinding(inspectApplication(program, log));
      const isKnown = application !== undefined && 'topics' in application;
      findings.push(...((await log.inspect?.(isKnown ? [...application.topics.keys()] : [])) ?? []));
      if (isKnown) findings.push(...applicationFindings(program!, application));
      else if (application !== undefined) findings.push(application);
      if (program !== undefined) findings.push(...(await schemaFindings(program, engine.registry?.client)));
      return findings;
    }),
  );
  return 'check' in found ? [found] : found;
}

/** Whether the schemas of the topology go with those of the registry, where it keeps any. */
async function schemaFindings(program: Program, registry: SchemaRegistry | undefined): Promise<readonly Finding[]> {
  try {
    const faults = await inspectSchemas(program, registry);
    return faults.map(({ severity, message }) => ({
      check: 'Schema',
      state: severity === 'refuse' ? 'bad' : 'warn',
      found: message,
    }));
  } catch (thrown) {
    if (!isFlowError(thrown) || !thrown.code.startsWith('registry.')) throw thrown;
    return [{ check: 'Registry', state: 'bad', found: thrown.message }];
  }
}

/** What keeps a log from being looked at is a finding too. */
async function orFinding<T>(looking: Promise<T>): Promise<T | Finding> {
  try {
    return await looking;
  } catch (thrown) {
    if (!isFlowError(thrown) || !/^(log|kafka)\./.test(thrown.code)) throw thrown;
    return { check: 'Log', state: 'bad', found: thrown.message };
  }
}

const OPEN: { readonly [driver: string]: string } = { kafka: 'the cluster answers' };

function applicationFindings({ plan }: Program, { topics, faults, warnings }: ApplicationFindings): readonly Finding[] {
  const findings: Finding[] = [];
  const isNamed = (name: string, message: string) => message.includes(`topic ${name} `);
  for (const [name, settings] of topics) {
    const wrong = [
      ...faults.filter((message) => isNamed(name, message)).map((found) => ({ state: 'bad', found }) as const),
      ...warnings.filter((message) => isNamed(name, message)).map((found) => ({ state: 'warn', found }) as const),
    ];
    const isOwn = plan.topics.every((topic) => topic.name !== name);
    for (const finding of wrong) findings.push({ check: `Topic ${name}`, ...finding });
    // What the engine made for itself is told only where it is wrong.
    if (wrong.length > 0 || isOwn) continue;
    const found = settings === undefined ? 'not there yet; made at the first run' : `${settings.partitions} partitions`;
    findings.push({ check: `Topic ${name}`, state: 'ok', found });
  }
  return findings;
}
