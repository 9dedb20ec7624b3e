import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fetchKafka, KAFKA_VERSION, OLDEST_KAFKA, pomOf } from './distribution.ts';
import { findJava } from './java.ts';
import { cacheFolder, isRunning, runProgram } from './machine.ts';
import { makeCertificates } from './security.ts';
import { java, machineWith } from './testing.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'nodeflow-kafka-tools-'));
after(() => rmSync(folder, { recursive: true }));

test('a Java of 17 or newer is taken, whatever its version looks like', async () => {
  for (const version of ['17.0.15', '21', '25.0.1-ea']) {
    assert.deepEqual(await findJava(machineWith({ java: java(version) })), { program: 'java', version });
  }
});

test('JAVA_HOME wins where there is a Java in it', async () => {
  const home = join(folder, 'jdk');
  const program = join(home, 'bin', process.platform === 'win32' ? 'java.exe' : 'java');
  const machine = machineWith({ java: java('17'), [program]: java('21') }, { JAVA_HOME: home });
  assert.equal((await findJava(machine)).program, 'java');
  mkdirSync(join(home, 'bin'), { recursive: true });
  writeFileSync(program, '');
  assert.deepEqual(await findJava(machine), { program, version: '21' });
});

const NO_JAVA: readonly (readonly [string, Parameters<typeof machineWith>[0], RegExp])[] = [
  ['there is none', {}, /^there is no java on the path; install Java 17 or newer \(Debian: apt install /],
  ['it is old', { java: java('11.0.2') }, /^java is Java 11\.0\.2, too old for Kafka; install .* or set JAVA_HOME/],
  ['it is very old', { java: java('1.8.0_402') }, /^java is Java 1\.8\.0_402, too old/],
  [
    'it is a stub',
    { java: () => ({ code: 2, said: 'Unable to locate a Java Runtime.\nVisit' }) },
    /failed \(Unable to/,
  ],
];
for (const [name, programs, message] of NO_JAVA) {
  test(`tells what to do about Java when ${name}`, async () => {
    await assert.rejects(findJava(machineWith(programs)), { code: 'tool.missing', message });
  });
}

test('the jars are fetched once, and only a whole fetch counts', async () => {
  const env = { XDG_CACHE_HOME: join(folder, 'cache') };
  const at = join(folder, 'cache', 'nodeflow', `kafka-${KAFKA_VERSION}`);
  const mvn = (args: readonly string[], code: number) => {
    const out = args.find((arg) => arg.startsWith('-DoutputDirectory='))!.split('=')[1]!;
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, 'b.jar'), '');
    writeFileSync(join(out, 'a.jar'), '');
    return { code, said: 'INFO begin\n[ERROR] Could not transfer artifact\n[ERROR] more\n' };
  };
  await assert.rejects(fetchKafka(machineWith({ java: java('17') }, env)), {
    code: 'tool.missing',
    message: /^there is no mvn on the path, which fetches Kafka; install Maven/,
  });
  await assert.rejects(fetchKafka(machineWith({ java: java('17'), mvn: (args) => mvn(args, 1) }, env)), {
    code: 'kafka.fetch',
    message: /could not fetch Kafka .*: \[ERROR\] Could not transfer artifact; check the network/,
  });
  assert.ok(!existsSync(join(at, 'libs')));

  const machine = machineWith({ java: java('17.0.1+8'), mvn: (args) => mvn(args, 0) }, env);
  const kafka = await fetchKafka(machine);
  assert.match(kafka.classPath, /libs.a\.jar.*libs.b\.jar$/);
  assert.equal(kafka.archive, join(at, 'classes-17.0.1-8.jsa'));
  assert.equal(machine.said.length, 1);
  await fetchKafka(machine);
  assert.equal(machine.ran.filter((line) => line.startsWith('mvn')).length, 1);
  assert.ok(!existsSync(join(at, 'turn')));
});

test('the project given to Maven names the broker, its tools and a logger', () => {
  for (const name of ['kafka_2.13', 'kafka-tools', 'log4j-slf4j-impl'])
    assert.match(pomOf(KAFKA_VERSION), new RegExp(`>${name}<`));
  assert.match(pomOf(OLDEST_KAFKA), />kafka_2.13<.*>3\.7\.2<.*\n.*\n.*\n.*>log4j-1\.2-api</);
});

test('the cache is that of the user', () => {
  assert.equal(cacheFolder({ XDG_CACHE_HOME: folder }), join(folder, 'nodeflow'));
  if (process.platform !== 'win32') assert.equal(cacheFolder({ HOME: '/home/ann' }), '/home/ann/.cache/nodeflow');
});

test('certificates need openssl', async () => {
  const at = join(folder, 'certificates');
  await assert.rejects(makeCertificates(at, machineWith({})), {
    code: 'tool.missing',
    message: /no openssl on the path/,
  });
  const broken = machineWith({ openssl: () => ({ code: 1, said: 'unknown option -pkeyopt' }) });
  await assert.rejects(makeCertificates(at, broken), {
    message: /openssl req failed: unknown option .*1\.1\.1 or newer/,
  });
});

test('a program that is not there answers undefined, others how they ended', async () => {
  assert.equal(await runProgram('nodeflow-no-such-program', [], process.env), undefined);
  const ended = await runProgram(process.execPath, ['-e', 'console.error("x"); process.exit(3)'], process.env);
  assert.deepEqual(ended, { code: 3, said: 'x\n' });
});

test('a process counts only with its words', () => {
  assert.ok(isRunning(process.pid, 'node'));
  assert.ok(!isRunning(process.pid, 'nodeflow-no-such-word'));
});
