import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';

/** The Java side, in `bench/peers/kafka-streams`: built with Maven, run with the `java` of the path. */
const SOURCE = join(import.meta.dirname, '..', 'peers', 'kafka-streams');
const BUILT = join(import.meta.dirname, '..', '..', '.nodeflow', 'peers', 'kafka-streams');
const CLASSPATH = `${join(BUILT, 'classes')}:${join(BUILT, 'dependency')}/*`;
/** For what is not measured: little memory, no second thread for the compiler. */
const SMALL = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export function buildPeer(): void {
  const jar = join(BUILT, 'dependency', 'kafka-streams-4.3.1.jar');
  const goals = existsSync(jar) ? ['compile'] : ['compile', 'dependency:copy-dependencies'];
  execFileSync('mvn', ['-B', '-q', ...goals], { cwd: SOURCE, stdio: ['ignore', 'ignore', 'inherit'] });
  if (!statSync(CLASSPATH.split(':')[0]!).isDirectory()) throw new Error(`Maven has built nothing in ${BUILT}`);
}

export type PeerOptions = { readonly [name: string]: string | number };

/** Starts a command of the peer that ends with its standard input. */
export function startPeer(command: string, options: PeerOptions, flags: readonly string[]): Child {
  return new Child('java', ['-cp', CLASSPATH, ...flags, 'peer.Main', command, ...words(options)]);
}

/** Runs a command of the peer and answers what it says. */
export async function askPeer<T>(command: string, options: PeerOptions): Promise<T> {
  const child = new Child('java', ['-cp', CLASSPATH, ...SMALL, 'peer.Main', command, ...words(options)]);
  const answer = await child.next<T>();
  await child.end();
  return answer;
}

function words(options: PeerOptions): string[] {
  return Object.entries(options).map(([name, value]) => `${name}=${value}`);
}
