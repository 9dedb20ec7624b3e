import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import type { Machine } from './machine.ts';

export interface Java {
  readonly program: string;
  /** As it tells it, such as `17.0.15`. */
  readonly version: string;
}

/** The oldest Java that Kafka's brokers run on. */
const FLOOR = 17;
const CURE = `install Java ${FLOOR} or newer (Debian: apt install default-jre-headless; macOS: brew install openjdk)`;

/** Finds the Java of `JAVA_HOME`, else that of the path. Fails with `tool.missing`. */
export async function findJava({ env, run }: Machine): Promise<Java> {
  const home = env['JAVA_HOME'];
  const own = home ? join(home, 'bin', process.platform === 'win32' ? 'java.exe' : 'java') : undefined;
  const program = own !== undefined && existsSync(own) ? own : 'java';
  const ended = await run(program, ['-version'], env);
  if (ended === undefined) throw new FlowError('tool.missing', `there is no java on the path; ${CURE}`);
  const [, version] = /version "([^"]+)"/.exec(ended.said) ?? [];
  if (ended.code !== 0 || version === undefined) {
    throw new FlowError('tool.missing', `${program} -version failed (${firstLine(ended.said)}); ${CURE}`);
  }
  // 1.8.0_402 is Java 8
  const major = Number(/^(?:1\.)?(\d+)/.exec(version)?.[1]);
  if (!(major >= FLOOR)) {
    throw new FlowError(
      'tool.missing',
      `${program} is Java ${version}, too old for Kafka; ${CURE}, or set JAVA_HOME to one`,
    );
  }
  return { program, version };
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
