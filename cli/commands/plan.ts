import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import { seededRandom } from '../../core/random.ts';
import {
  forgetOrphans,
  inspectOrphans,
  inspectPlanDiff,
  withSchemas,
  withStoredSchemas,
} from '../../runtime/runtime.ts';
import type { Plan } from '../../topology/plan.ts';
import {
  type DiffCosts,
  diffLines,
  diffPlans,
  type PlanDiff,
  type Program,
  type Renames,
  readPlan,
} from '../../topology/topology.ts';
import type { Call, Command } from '../command.ts';
import { withLog } from '../engine.ts';
import { loadTopology, NAME_OPTION } from '../program.ts';
import type { World } from '../world.ts';

/** The option of all commands that compare a plan with what it takes over from. */
export const RENAME_OPTION: Command['options'] = {
  rename: { value: 'old=new', about: 'A store that has another name now; may be given several times.' },
};

export const plan: Command = {
  name: 'plan',
  parameters: 'diff [old] <new> | orphans <file>',
  about:
    'Tells what becomes of the state when another topology takes over: from a plan or a module, or from what the log ' +
    'has of the application. Exit code 2 where it cannot. orphans: what no store of the topology uses any more.',
  words: { min: 2, max: 3 },
  options: { ...NAME_OPTION, ...RENAME_OPTION, yes: { about: 'With orphans: deletes them.' } },
  async run(call, world) {
    const [action, first, second] = call.words as [string, string, string | undefined];
    if (action === 'diff' && second !== undefined) {
      const [from, to] = [await read(first, call, world), await read(second, call, world)];
      const diff = diffPlans(from.plan, to.plan, renamesOf(call));
      const both = from.program !== undefined && to.program !== undefined;
      return tell(both ? withSchemas(diff, from.program, to.program) : diff, undefined, call, world);
    }
    if (action === 'diff') {
      const { plan: to, program } = await read(first, call, world);
      return withLog(call, world, async ({ log, clock }) => {
        const found = await inspectPlanDiff({ plan: to, log, clock, renames: renamesOf(call) });
        if (found === undefined) {
          throw new FlowError('file.missing', `the log has no plan of ${to.name}: it has not run there yet`);
        }
        const { diff, costs } = found;
        const parts = { log, clock, random: seededRandom(clock.now()) };
        return tell(program === undefined ? diff : await withStoredSchemas(diff, program, parts), costs, call, world);
      });
    }
    if (action === 'orphans' && second === undefined) return orphans(first, call, world);
    throw new FlowError(
      'option.unknown',
      'plan takes diff and one or two plans, or orphans and a file; see nodeflow help plan',
    );
  },
};

/** Stores by their old names, as `--rename old=new` says. */
export function renamesOf(call: Call): Renames {
  return Object.fromEntries(
    call.options('rename').map((text) => {
      const [old = '', name = '', ...rest] = text.split('=');
      if (old !== '' && name !== '' && rest.length === 0) return [old, name] as const;
      throw new FlowError('option.unknown', `--rename takes old=new, two names of a store, not ${text}`);
    }),
  );
}

interface Read {
  readonly plan: Plan;
  /** Where it is a topology module. */
  readonly program?: Program;
}

/** A plan as JSON, or a topology module. */
async function read(file: string, call: Call, world: World): Promise<Read> {
  if (!file.endsWith('.json')) {
    const program = await loadTopology(file, call, world);
    return { plan: program.plan, program };
  }
  const path = resolve(world.cwd, file);
  if (!existsSync(path)) throw new FlowError('file.missing', `there is no file ${path}; check the path`);
  return { plan: readPlan(readFileSync(path, 'utf8'), path) };
}

function tell(diff: PlanDiff, costs: DiffCosts | undefined, call: Call, world: World): number {
  if (call.json) {
    const { changelogs, waiting } = costs ?? {
      changelogs: new Map<string, number>(),
      waiting: new Map<string, number>(),
    };
    const stores = diff.stores.map((change) => ({
      ...change,
      records: change.was === null ? null : (changelogs.get(change.was) ?? null),
    }));
    const topics = diff.topics.map((change) => ({ ...change, waiting: waiting.get(change.topic) ?? null }));
    world.out(JSON.stringify({ ...diff, stores, topics }));
  } else for (const line of diffLines(diff, costs)) world.out(line);
  return diff.faults.length === 0 ? 0 : 2;
}

async function orphans(file: string, call: Call, world: World): Promise<number> {
  const { plan: used } = await read(file, call, world);
  const isDone = call.option('yes') !== undefined;
  return withLog(call, world, async ({ log }) => {
    const topics = await (isDone ? forgetOrphans(used, log) : inspectOrphans(used, log));
    if (call.json) world.out(JSON.stringify({ application: used.name, done: isDone, topics }));
    else {
      for (const { topic, records } of topics) world.out(`topic ${topic}: ${records.toLocaleString('en-US')} records`);
      if (topics.length === 0) world.out(`${used.name} has left nothing behind`);
      else
        world.out(isDone ? 'done: all of this is deleted' : 'nothing was done yet; give the command again with --yes');
    }
    return 0;
  });
}
