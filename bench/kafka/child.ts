import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { systemClock } from '../../core/clock.ts';

/** A line that a measured process says when it has come so far. */
export interface Told {
  readonly at: 'mark' | 'end';
  readonly records: number;
  readonly commits?: number;
}

const running = new Set<Child>();

/** A process that says lines of JSON, and ends when its standard input does. */
export class Child {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<unknown>;

  constructor(command: string, args: readonly string[]) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.pid = child.pid!;
    running.add(this);
    this.#exit = once(child, 'exit').finally(() => running.delete(this));
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line. */
  async next<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#child.spawnargs.slice(0, 8).join(' ')} ended before it had said what it should`);
    return JSON.parse(value) as T;
  }

  /** Lets it end; it is killed where it does not. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    const spare = systemClock.after(90_000, () => this.kill());
    await this.#exit;
    spare();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Ends what this process has started: nothing of it may outlive a benchmark that was cut short. */
export function killChildren(): void {
  for (const child of running) child.kill();
}
