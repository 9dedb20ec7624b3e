import { Cron } from 'croner';
import { FlowError, messageOf } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import {
  type CatchUp,
  type Due,
  type Missed,
  MOST_AT_ONCE,
  type Overlap,
  type Overlapping,
  type Schedule,
  type ScheduleFault,
} from './scheduler.ts';

/** The first time after `after` at which a schedule is due, with its interval; undefined: never again. */
export function dueAfter(schedule: Schedule, after: Millis): Due | undefined {
  const times = createTimes(schedule);
  const at = times.next(after);
  return at === undefined ? undefined : { at, from: times.before(at) };
}

/**
 * What of the times in `(after, until]` is to be started, by the policy of catching up. The newest one counts as missed
 * too when it is older than `graceMs`: a start that is a little late is no catching up. Default 0.
 */
export function missed(
  schedule: Schedule,
  after: Millis,
  until: Millis,
  catchUp: CatchUp,
  graceMs: Millis = 0,
): Missed {
  const times = createTimes(schedule);
  return catchUp === 'all' ? everyMissed(times, after, until) : lastMissed(times, after, until, catchUp, graceMs);
}

function everyMissed(times: Times, after: Millis, until: Millis): Missed {
  const start: Due[] = [];
  let from: Millis | undefined;
  for (let at = times.next(after); at !== undefined && at <= until; at = times.next(at)) {
    if (start.length === MOST_AT_ONCE) return { start, more: true, leftOut: 0 };
    start.push({ at, from: from ?? times.before(at) });
    from = at;
  }
  return { start, more: false, leftOut: 0 };
}

function lastMissed(times: Times, after: Millis, until: Millis, catchUp: CatchUp, graceMs: Millis): Missed {
  const first = times.next(after);
  if (first === undefined || first > until) return { start: [], more: false, leftOut: 0 };
  const at = newest(times, first, until);
  const isLeftOut = catchUp === 'none' && until - at > graceMs;
  let leftOut = isLeftOut ? 1 : 0;
  for (let each: Millis | undefined = first; each !== undefined && each < at; each = times.next(each)) {
    if (++leftOut >= MOST_AT_ONCE) break;
  }
  return { start: isLeftOut ? [] : [{ at, from: times.before(at) }], more: false, leftOut };
}

/** The last time up to `until`, by halving: years of seconds are soon looked through. `first` is one such. */
function newest(times: Times, first: Millis, until: Millis): Millis {
  let [found, end] = [first, until];
  for (;;) {
    const next = times.next(found);
    if (next === undefined || next > end) return found;
    found = next;
    const middle = Math.floor((found + end) / 2);
    const behind = times.next(middle);
    if (behind !== undefined && behind <= end) found = behind;
    else end = Math.max(found, middle);
  }
}

/** The intervals of past times in `[from, until)`, oldest first, whatever was started before. */
export function backfill(schedule: Schedule, from: Millis, until: Millis): Missed {
  return missed(schedule, from - 1, until - 1, 'all');
}

export function overlapping(overlap: Overlap, running: boolean): Overlapping {
  if (!running || overlap === 'allow') return 'start';
  return overlap === 'replace' ? 'cancel-then-start' : overlap;
}

/** What is wrong with a schedule; empty where nothing is. */
export function scheduleFaults(schedule: Schedule): readonly ScheduleFault[] {
  const found: ScheduleFault[] = [];
  try {
    new Intl.DateTimeFormat('en', { timeZone: schedule.timeZone ?? 'UTC' });
  } catch {
    found.push({
      message: `the time zone ${JSON.stringify(schedule.timeZone)} is not known`,
      cure: 'Give an IANA name such as Europe/Berlin.',
    });
  }
  try {
    open(schedule.cron, 'UTC');
  } catch (thrown) {
    const why = messageOf(thrown).replace(/^CronPattern: /, '');
    found.push({
      message: `the cron text ${JSON.stringify(schedule.cron)} cannot be read (${why})`,
      cure: 'Write minute, hour, day, month, day of week, such as "30 2 * * 1-5", or @daily.',
    });
  }
  const { from, until } = schedule;
  if (from !== undefined && until !== undefined && until < from) {
    found.push({ message: 'it ends before it begins', cure: 'Correct it.' });
  }
  return found;
}

interface Times {
  next(after: Millis): Millis | undefined;
  /** The time before one, or, where there is none, that time itself. */
  before(at: Millis): Millis;
}

function createTimes(schedule: Schedule): Times {
  const faults = scheduleFaults(schedule);
  if (faults.length > 0) {
    const told = faults.map(({ message, cure }) => `${message}. ${cure}`).join(' ');
    throw new FlowError('config.invalid', `a schedule cannot be used: ${told}`);
  }
  const cron = open(schedule.cron, schedule.timeZone ?? 'UTC');
  const { from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = schedule;
  return {
    next(after) {
      const at = cron.nextRun(new Date(Math.max(after, from - 1)))?.getTime();
      return at === undefined || at > until ? undefined : at;
    },
    before: (at) => cron.previousRuns(1, new Date(at))[0]?.getTime() ?? at,
  };
}

/** Paused: it tells times, and sets no timer. */
function open(cron: string, timezone: string): Cron {
  return new Cron(cron, { paused: true, mode: '5-or-6-parts', timezone });
}
