import { FlowError } from '../../core/errors.ts';
import type { Millis } from '../../core/ids.ts';
import { backfill, type Due } from '../../scheduler/scheduler.ts';
import { dueExecution, dueInput, hasSchedule, type ScheduleTrigger, scheduleTriggers } from '../schedule-triggers.ts';
import type { Backfilled, Definition, ScheduleView, Workflows } from '../workflows.ts';
import { type Catalogue, storedOf } from './catalogue.ts';
import { scheduleKey } from './messages.ts';
import { listSchedules, type ScheduleListParts } from './schedule-list.ts';
import type { ScheduleRow } from './schedule-row.ts';
import type { Sender } from './sender.ts';

export interface ScheduleDeskParts extends ScheduleListParts {
  readonly catalogue: Catalogue;
  readonly sender: Sender;
  readonly start: Workflows['start'];
  definition(workflow: string): Promise<Definition>;
}

/** Starts of one backfill that are on their way at once, and in all. */
const STARTS_AT_ONCE = 100;
const MOST_STARTS = 10_000;

/** What people ask of schedules. */
export class ScheduleDesk {
  readonly #parts: ScheduleDeskParts;

  constructor(parts: ScheduleDeskParts) {
    this.#parts = parts;
  }

  /** Tells the newest version of a workflow that has a schedule, or had one, to whoever keeps it. Twice is as once. */
  async announce(workflow: string): Promise<void> {
    if (this.#parts.catalogue.versions(workflow).some(({ document }) => hasSchedule(document)))
      await this.#tell(workflow);
  }

  /** Those of which a publisher was cut short before they were told. */
  async announceAll(): Promise<void> {
    const scheduled = this.#parts.catalogue.all.filter(({ document }) => hasSchedule(document));
    const workflows = new Set(scheduled.map(({ id }) => id));
    await Promise.all([...workflows].map((workflow) => this.#tell(workflow)));
  }

  async #tell(workflow: string): Promise<void> {
    const { catalogue, sender, clock } = this.#parts;
    const newest = catalogue.find(workflow)!;
    await sender.sendTo(scheduleKey(workflow), { define: storedOf(newest), schedule: true }, clock.now());
  }

  async list(): Promise<readonly ScheduleView[]> {
    return (await listSchedules(this.#parts)).flatMap(viewsOf);
  }

  async backfill(
    workflow: string,
    from: Millis,
    until: Millis,
    options: { readonly user?: string } = {},
  ): Promise<readonly Backfilled[]> {
    const { clock, start } = this.#parts;
    if (!(from < until)) {
      throw new FlowError('workflow.rejected', 'the times of a backfill end before they begin; give until after from');
    }
    const { document, version } = await this.#parts.definition(workflow);
    const triggers = scheduleTriggers(document);
    if (triggers.length === 0) {
      const cure = 'add a trigger of type schedule to the document, and publish it';
      throw new FlowError('workflow.no-schedule', `workflow ${workflow} ${version} has no schedule; ${cure}`);
    }
    const end = Math.min(until, clock.now());
    const times = triggers.flatMap((trigger) => timesOf(workflow, trigger, from, end));
    const done: Backfilled[] = [];
    for (let i = 0; i < times.length; i += STARTS_AT_ONCE) {
      const started = times.slice(i, i + STARTS_AT_ONCE).map(async ([due, input]): Promise<Backfilled> => {
        const execution = dueExecution(workflow, due.at);
        const { existing } = await start(workflow, dueInput(input, due), { ...options, execution, version });
        return { execution, ...due, existing };
      });
      done.push(...(await Promise.all(started)));
    }
    return done;
  }
}

function timesOf(
  workflow: string,
  { schedule, input }: ScheduleTrigger,
  from: Millis,
  until: Millis,
): readonly (readonly [Due, ScheduleTrigger['input']])[] {
  const found: Due[] = [];
  for (let next = from; ; ) {
    const { start, more } = backfill(schedule, next, until);
    found.push(...start);
    if (found.length > MOST_STARTS) {
      const cure = 'ask for a shorter interval, and for the rest when these have run';
      throw new FlowError('workflow.rejected', `${workflow} was due more than ${MOST_STARTS} times; ${cure}`);
    }
    if (!more) return found.map((due) => [due, input]);
    next = start.at(-1)!.at + 1;
  }
}

function viewsOf({ workflow, version, triggers, running }: ScheduleRow): readonly ScheduleView[] {
  return triggers.map(({ schedule, overlap, catchUp, due, started, queue, leftOut }) => ({
    ...{ workflow, version, cron: schedule.cron, timeZone: schedule.timeZone ?? 'UTC', overlap, catchUp },
    ...{ next: due, last: started, running, queued: queue.length, leftOut },
  }));
}
