import type { Progress, RestoreProgress, Run } from '../runtime/runtime.ts';
import type { World } from './world.ts';

const TERMINAL_MS = 250;
const PLAIN_MS = 5000;

/**
 * Tells on standard error how a run goes on, until it is finished: over one line of a terminal, else a line every
 * few seconds. Answers what removes the line again.
 */
export function showProgress(run: Pick<Run, 'progress'>, world: Pick<World, 'clock' | 'err' | 'over'>): () => void {
  const { clock, over } = world;
  const every = over === undefined ? PLAIN_MS : TERMINAL_MS;
  let last = { at: clock.monotonic(), records: 0 };
  let cancel = clock.after(every, tick);
  function tick() {
    const progress = run.progress();
    const at = clock.monotonic();
    const perSecond = ((progress.records - last.records) / Math.max(1, at - last.at)) * 1000;
    last = { at, records: progress.records };
    const line = progressLine(progress, perSecond, process.memoryUsage.rss());
    if (over === undefined) world.err(line);
    else over(line);
    cancel = clock.after(every, tick);
  }
  return () => {
    cancel();
    over?.('');
  };
}

/**
 * While state comes back: `restoring 2 tasks · 1,203,000 of 4,000,000 records · 410,000/s · 7 s left · 212 MiB`; else
 * `1,203,000 records · 410,000/s · lag 2,000 · watermark 2001-02-03 04:05 · 212 MiB · 40%`; behind that
 * the tasks that were set apart, and what keeps it from going on.
 */
export function progressLine(progress: Progress, perSecond: number, rssBytes: number): string {
  const memory = `${whole(rssBytes / 1024 / 1024)} MiB`;
  if (progress.restore !== undefined && perSecond === 0) return [...restoreParts(progress.restore), memory].join(' · ');
  const parts = [
    `${whole(progress.records)} records`,
    `${whole(perSecond)}/s`,
    `lag ${whole(progress.lag)}`,
    `watermark ${watermark(progress.streamTime)}`,
    memory,
  ];
  if (progress.share !== undefined) parts.push(`${Math.floor(progress.share * 100)}%`);
  if (progress.restore !== undefined) parts.push(...restoreParts(progress.restore));
  const { quarantined } = progress;
  if (quarantined.length > 0) parts.push(`${quarantined.join(', ')} set apart`);
  if (progress.degraded !== undefined) parts.push(progress.degraded);
  return parts.join(' · ');
}

function restoreParts({ tasks, done, left, perSecond, leftMs }: RestoreProgress): string[] {
  return [
    `restoring ${whole(tasks)} ${tasks === 1 ? 'task' : 'tasks'}`,
    `${whole(done)} of ${whole(done + left)} records`,
    `${whole(perSecond)}/s`,
    ...(leftMs === undefined ? [] : [`${span(leftMs)} left`]),
  ];
}

/** Two units at most: `7 s`, `3 min 20 s`, `2 h 5 min`. */
function span(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${whole(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

function watermark(streamTime: number | undefined): string {
  if (streamTime === undefined) return 'none';
  if (!Number.isFinite(streamTime) || Math.abs(streamTime) > 8.64e15) return 'end';
  return new Date(streamTime).toISOString().slice(0, 16).replace('T', ' ');
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
