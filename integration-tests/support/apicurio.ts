import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findJava } from '../../cli/kafka/java.ts';
import { cacheFolder, runProgram } from '../../cli/kafka/machine.ts';
import { freePorts } from '../../cli/kafka/ports.ts';
import { systemClock } from '../../core/clock.ts';
import { FlowError, isFlowError } from '../../core/errors.ts';
import { aloneIn } from '../../core/folder-lock.ts';
import { machine } from './brokers.ts';
import { leaveOut } from './test-run.ts';

/** The newest that runs on Java 17. */
const VERSION = '3.0.9';
const READY_MS = 180_000;

export interface TestApicurio {
  /** Of its interface like Confluent's. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Apicurio, a registry with the interface of Confluent's, in memory, for the caller alone. Answers `undefined` on a
 * machine that cannot run it; the run then says what was left out and why, and fails where all tests must run.
 */
export async function testApicurio(): Promise<TestApicurio | undefined> {
  try {
    const java = await findJava(machine);
    return await start(java.program, await fetchApicurio());
  } catch (thrown) {
    if (!isFlowError(thrown, 'tool.missing') && !isFlowError(thrown, 'kafka.fetch')) throw thrown;
    leaveOut(thrown.message);
    return undefined;
  }
}

/** The jar that runs it, fetched where it is not in the cache yet. */
async function fetchApicurio(): Promise<string> {
  const folder = join(cacheFolder(process.env), `apicurio-${VERSION}`);
  await aloneIn(`${folder}.turn`, 'the registry', systemClock, async () => {
    if (!existsSync(folder)) await fetchInto(folder);
  });
  const jar = readdirSync(folder).find((name) => name.endsWith('-runner.jar') || name === 'quarkus-run.jar');
  if (jar === undefined) throw new Error(`there is no jar to run in ${folder}; remove it to fetch it anew`);
  return join(folder, jar);
}

async function fetchInto(folder: string): Promise<void> {
  const partly = `${folder}.part`;
  rmSync(partly, { recursive: true, force: true });
  // a repository of its own, since Maven does not say where it puts what it gets
  const repository = join(partly, 'repository');
  const artifact = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
  const options = ['-B', '-q', `-Dmaven.repo.local=${repository}`, `-Dartifact=${artifact}`, '-Dtransitive=false'];
  const fetched = await runProgram('mvn', [...options, 'dependency:get'], process.env);
  if (fetched === undefined) throw new FlowError('tool.missing', 'there is no mvn on the path, which fetches Apicurio');
  const archive = join(
    repository,
    `io/apicurio/apicurio-registry-app/${VERSION}/apicurio-registry-app-${VERSION}-all.tar.gz`,
  );
  if (fetched.code !== 0 || !existsSync(archive)) {
    throw new FlowError('kafka.fetch', `mvn could not fetch ${artifact}: ${fetched.said.slice(0, 500)}`);
  }
  const unpacked = await runProgram('tar', ['-xzf', archive, '-C', partly], process.env);
  if (unpacked?.code !== 0) throw new FlowError('tool.missing', `tar could not unpack ${archive}: ${unpacked?.said}`);
  rmSync(repository, { recursive: true });
  renameSync(partly, folder);
}

async function start(java: string, jar: string): Promise<TestApicurio> {
  const [port] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-apicurio-'));
  const output = createWriteStream(join(folder, 'output'));
  const flags = ['-Xmx384m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
  const child = spawn(java, [...flags, '-jar', jar], {
    cwd: folder,
    env: { ...process.env, QUARKUS_HTTP_HOST: '127.0.0.1', QUARKUS_HTTP_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.pipe(output, { end: false });
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  process.once('SIGTERM', () => process.exit(143));
  const close = async () => {
    process.removeListener('exit', end);
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const until = systemClock.monotonic() + READY_MS;
  while (!(await answers(`${url}/subjects`))) {
    if (child.exitCode === null && systemClock.monotonic() < until) await systemClock.sleep(100);
    else {
      const said = readFileSync(join(folder, 'output'), 'utf8').slice(-2000);
      await close();
      throw new Error(`Apicurio does not answer: ${said}`);
    }
  }
  return { url, close };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    return false;
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
