import { readFileSync } from 'node:fs';

/** Ticks of a second in procfs: fixed for every Linux that Node runs on. */
export const TICKS = 100;

/** What a moment costs so far, in seconds of CPU. */
export interface Moment {
  readonly engine: number;
  readonly broker: number;
  /** Of the whole machine, with what others take from it. */
  readonly machine: number;
  readonly wallMs: number;
}

export function momentOf(enginePid: number, brokerPid: number): Moment {
  return {
    engine: cpuOf(enginePid),
    broker: cpuOf(brokerPid),
    machine: machineCpu(),
    wallMs: performance.now(),
  };
}

/** User and system time of a process, all its threads. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** The most memory that a process has had, in MB. */
export function peakMbOf(pid: number): number {
  const line = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

/** Of all processors: everything but idle and waiting, and the time that was stolen. */
export function machineCpu(): number {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
    .split('\n')[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number];
  return (user + nice + system + irq + softirq + steal) / TICKS;
}
