import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { machineCpu, TICKS } from '../kafka/procfs.ts';

/** What a moment has cost so far, in seconds. */
export interface Spent {
  /** CPU of a process and all that it has started. */
  readonly cpu: number;
  /** CPU of the whole machine. */
  readonly machine: number;
  readonly wall: number;
}

/** What a process and all below it have had: user and system time of all threads, children that have ended included. */
export function spentBy(root: number): Spent {
  const children = new Map<number, number[]>();
  const ticks = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    } catch {
      continue; // it has ended meanwhile, and its parent has its time
    }
    // behind the name, which may hold anything: state, parent, ...; then the process's times, then its children's
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const parent = Number(fields[1]);
    ticks.set(
      pid,
      [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0),
    );
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  const sum = (pid: number): number =>
    (children.get(pid) ?? []).reduce((total, child) => total + sum(child), ticks.get(pid) ?? 0);
  return { cpu: sum(root) / TICKS, machine: machineCpu(), wall: performance.now() / 1000 };
}

export interface Cost {
  readonly cpuSeconds: number;
  readonly seconds: number;
  /** The share of the machine that others had, in percent. */
  readonly others: number;
}

export function costBetween(from: Spent, to: Spent): Cost {
  const cpuSeconds = to.cpu - from.cpu;
  const seconds = to.wall - from.wall;
  const rest = to.machine - from.machine - cpuSeconds;
  const others = Math.max(0, Math.round((rest / seconds / availableParallelism()) * 100));
  return { cpuSeconds, seconds, others };
}
