import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AppEvent, AppFigures, AppOptions } from './app.ts';
import { BLOCK, type Block, RUN } from './job.ts';

export interface AppEnd {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
}

/** What is to go wrong in a process, from inside. */
export interface AppFaults {
  /** `name:hit:action`, see `core/failpoints.ts`. */
  readonly failpoint?: string | undefined;
  readonly block?: Block | undefined;
}

const NOTHING = { retries: 0, rssBytes: 0, degraded: false, ill: false };

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process that runs the job, and what it has said. */
export class AppProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<AppEnd>;
  #wakes: (() => void)[] = [];
  events: AppEvent[] = [];
  figures: AppFigures = {
    ...{ records: 0, lag: 0, commits: 0, rebuilds: 0, restored: 0 },
    ...{ standbys: { tasks: 0, lag: 0 }, pauseMs: 0, ...NOTHING },
  };
  /** Lines that it has said. */
  said = 0;
  /** Was seen ill at some time. */
  wasIll = false;
  errors = '';
  end: AppEnd | undefined;

  constructor(run: string, options: AppOptions, { failpoint, block }: AppFaults = {}, more: NodeJS.ProcessEnv = {}) {
    const { NODEFLOW_FAILPOINT: _, ...env } = process.env;
    const args = [join(import.meta.dirname, 'app.ts'), JSON.stringify(options)];
    this.#child = spawn(process.execPath, args, {
      env: {
        ...env,
        ...more,
        [RUN]: run,
        ...(failpoint === undefined ? {} : { NODEFLOW_FAILPOINT: failpoint }),
        ...(block === undefined ? {} : { [BLOCK]: JSON.stringify(block) }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.#child);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#take(line));
    this.#child.stderr!.on('data', (chunk) => {
      this.errors += String(chunk);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        running.delete(this.#child);
        this.end = { code, signal };
        this.#wake();
        resolve(this.end);
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isReady(): boolean {
    return this.events.some(({ event }) => event === 'ready');
  }

  /** A thread of it was made to stand still, or to leave. */
  get isBlocked(): boolean {
    return this.events.some(({ event }) => event === 'blocked');
  }

  get failure(): string | undefined {
    for (const each of this.events) if (each.event === 'failed') return `${each.code}: ${each.message}`;
    return undefined;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  whenEnded(): Promise<AppEnd> {
    return this.#ended;
  }

  /** Resolves when the condition holds, looked at whenever the process says something; false where it ends before. */
  async until(condition: (process: this) => boolean): Promise<boolean> {
    for (;;) {
      if (condition(this)) return true;
      if (this.end !== undefined) return false;
      await new Promise<void>((resolve) => {
        this.#wakes.push(resolve);
      });
    }
  }

  #take(line: string): void {
    if (!line.startsWith('{')) return;
    this.said++;
    const event = JSON.parse(line) as AppEvent;
    if (event.event === 'figures') {
      this.figures = event;
      this.wasIll ||= event.ill;
    } else this.events.push(event);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
