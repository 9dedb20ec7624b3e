import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import { aloneIn } from '../../core/folder-lock.ts';
import type { ClusterSettings } from './cluster.ts';
import { findJava, type Java } from './java.ts';
import { cacheFolder, type Machine } from './machine.ts';
import { SCRAM_USERS } from './security.ts';

/** The release that is started where none is asked for. */
export const KAFKA_VERSION = '4.3.1';
/** The oldest that the drivers take. */
export const OLDEST_KAFKA = '3.7.2';
const LOGGER_VERSION = '2.25.4';

/** Kafka as it stands in the cache, with the Java that runs it. */
export interface Distribution {
  readonly version: string;
  readonly folder: string;
  readonly java: Java;
  /** Every jar by name: an archive of classes fits only the very list it was made with. */
  readonly classPath: string;
  /** The class-data archive for this Java; it may not be there yet. */
  readonly archive: string;
  readonly logging: string;
}

/** Before 4.0 Kafka was written for another logger, whose names stand for this one then. */
const isBefore4 = (version: string) => Number(version.split('.')[0]) < 4;

const artifacts = (version: string) => [
  ...['kafka_2.13', 'kafka-tools'].map((name) => ['org.apache.kafka', name, version] as const),
  ...['log4j-slf4j-impl', ...(isBefore4(version) ? ['log4j-1.2-api'] : [])].map(
    (name) => ['org.apache.logging.log4j', name, LOGGER_VERSION] as const,
  ),
];

/** The project by which Maven fetches a release. */
export const pomOf = (version: string): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>nodeflow</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${artifacts(version)
  .map(
    ([group, name, each]) =>
      `    <dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${each}</version></dependency>\n`,
  )
  .join('')}  </dependencies>
</project>
`;

const LOGGING = `status=off
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c)%n
`;

/** What processes that add to a release in the cache take turns by. */
export const lockOf = ({ folder }: Pick<Distribution, 'folder'>): string => join(folder, 'turn');

/** Finds Java, and fetches the jars of a release where they are not in the cache yet. */
export async function fetchKafka(machine: Machine, version: string = KAFKA_VERSION): Promise<Distribution> {
  const java = await findJava(machine);
  const folder = join(cacheFolder(machine.env), `kafka-${version}`);
  const libs = join(folder, 'libs');
  if (!existsSync(libs)) {
    await aloneIn(lockOf({ folder }), 'the release', machine.clock, async () => {
      if (!existsSync(libs)) await fetchJars(version, folder, libs, machine);
    });
  }
  const jars = readdirSync(libs).filter((name) => name.endsWith('.jar'));
  return {
    version,
    folder,
    java,
    classPath: jars
      .sort()
      .map((name) => join(libs, name))
      .join(delimiter),
    archive: join(folder, `classes-${java.version.replaceAll(/[^\w.-]/g, '-')}.jsa`),
    logging: join(folder, 'log4j2.properties'),
  };
}

async function fetchJars(version: string, folder: string, libs: string, machine: Machine): Promise<void> {
  machine.say(`fetching Kafka ${version} with mvn into ${folder} (the first time only)`);
  mkdirSync(folder, { recursive: true });
  const pom = join(folder, 'pom.xml');
  writeFileSync(pom, pomOf(version));
  writeFileSync(join(folder, 'log4j2.properties'), LOGGING);
  const partly = `${libs}.part`;
  rmSync(partly, { recursive: true, force: true });
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${partly}`, '-DincludeScope=runtime'];
  const ended = await machine.run('mvn', ['-B', '-q', '-f', pom, ...goal], machine.env);
  if (ended === undefined) {
    throw new FlowError(
      'tool.missing',
      'there is no mvn on the path, which fetches Kafka; install Maven (Debian: apt install maven; macOS: brew install maven)',
    );
  }
  if (ended.code !== 0 || !existsSync(partly)) {
    const [reason = 'it gave no reason'] = ended.said.split('\n').filter((line) => line.includes('ERROR'));
    throw new FlowError(
      'kafka.fetch',
      `mvn could not fetch Kafka ${version}: ${reason}; check the network and Maven's settings.xml, then try again`,
    );
  }
  renameSync(partly, libs);
}

/** The heap and collector of short-lived programs, for a quick start. */
export const SMALL_JAVA: readonly string[] = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'];

/** What the first records of a cluster depend on. */
type FirstRecords = Pick<ClusterSettings, 'secure' | 'features'>;

/**
 * The first records of a cluster, as `StorageTool format` writes them. They name no broker, so they are made once and
 * copied into each data folder: that spares a Java process a start.
 */
export async function firstRecords(kafka: Distribution, machine: Machine, wish: FirstRecords): Promise<string> {
  const kind = [...(wish.secure ? ['secure'] : []), ...(wish.features ?? [])].map((each) => `-${each}`).join('');
  const file = join(kafka.folder, `first-records${kind}.checkpoint`);
  if (existsSync(file)) return file;
  return aloneIn(lockOf(kafka), 'the release', machine.clock, async () => {
    if (!existsSync(file)) await format(kafka, machine, wish, file);
    return file;
  });
}

async function format(
  kafka: Distribution,
  machine: Machine,
  { secure, features = [] }: FirstRecords,
  file: string,
): Promise<void> {
  const data = `${file}.part`;
  const properties = `${file}.properties`;
  rmSync(data, { recursive: true, force: true });
  writeFileSync(
    properties,
    [
      'process.roles=broker,controller',
      'node.id=1',
      'listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
      'controller.listener.names=CONTROLLER',
      'controller.quorum.voters=1@127.0.0.1:9093',
      `log.dirs=${data.replaceAll('\\', '/')}\n`,
    ].join('\n'),
  );
  const tool = ['kafka.tools.StorageTool', 'format', '-t', 'nodeflow-nodeflow-0000', '-c', properties];
  const users = secure ? SCRAM_USERS : [];
  const versions = features.flatMap((feature) => ['--feature', feature]);
  const java = [...SMALL_JAVA, `-Dlog4j2.configurationFile=${kafka.logging}`, '-Xmx128m', '-cp', kafka.classPath];
  const ended = await machine.run(kafka.java.program, [...java, ...tool, ...users, ...versions], machine.env);
  const made = join(data, 'bootstrap.checkpoint');
  if (ended?.code !== 0 || !existsSync(made)) {
    throw new FlowError(
      'kafka.start',
      `Kafka's StorageTool could not format: ${ended?.said.trim()}; remove ${kafka.folder} to fetch Kafka anew`,
    );
  }
  renameSync(made, file);
  rmSync(data, { recursive: true, force: true });
  rmSync(properties, { force: true });
}
