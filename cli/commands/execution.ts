import { resolve } from 'node:path';
import { FlowError } from '../../core/errors.ts';
import type { Json } from '../../core/ids.ts';
import { type NamedEvent, readReference, referenceText } from '../../events/events.ts';
import type { ExecutionPage } from '../../projections/projections.ts';
import type { Answer, ExecutionView, OutputView } from '../../workflows/workflows.ts';
import { executionPath as at, begin, partOf, type StartedRow, wordsOfStart } from '../begin-execution.ts';
import { columnsOf } from '../columns.ts';
import type { Call, Command } from '../command.ts';
import { connected } from '../connected.ts';
import { eventLine, show } from '../execution-shown.ts';
import { type GatewayClient, gatewayOf } from '../gateway-client.ts';
import { jsonOption, timeOption } from '../parse.ts';
import { readJsonFile } from '../read-json-file.ts';
import type { World } from '../world.ts';

interface Action {
  /** Words behind the action, named as in the help. */
  readonly words: readonly string[];
  run(gateway: GatewayClient, words: readonly string[], call: Call, world: World): Promise<number>;
}

interface ScheduleRow {
  readonly workflow: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly next: string | null;
  readonly last: string | null;
  readonly running: string | null;
}

/** What `patch` reads; a list of operations alone is for the graph as it is. */
interface PatchFile {
  readonly baseRevision: number;
  readonly ops: readonly Json[];
}

interface BackfillRow {
  readonly execution: string;
  readonly existing: boolean;
}

/** The same id makes one command of two. */
function idOf(call: Call): { readonly [name: string]: string } {
  const id = call.option('id');
  return id === undefined ? {} : { 'idempotency-key': id };
}

/** A command to an execution, which is answered with the step that took it. */
function command(
  words: readonly string[],
  path: (...words: string[]) => string,
  body?: (words: readonly string[], call: Call) => unknown,
): Action {
  return {
    words,
    async run(gateway, given, call, world) {
      const { execution, seq } = await gateway.ask<Answer>('POST', path(...given), body?.(given, call), idOf(call));
      world.out(call.json ? JSON.stringify({ execution, seq }) : `${execution} took it in step ${seq}`);
      return 0;
    },
  };
}

const ACTIONS: { readonly [name: string]: Action } = {
  start: {
    words: ['<workflow>'],
    async run(gateway, [workflow], call, world) {
      const body = { workflow, input: jsonOption(call, 'input'), ...wordsOfStart(call), ...partOf(call) };
      return begin(gateway, '/v1/executions', body, call, world);
    },
  },
  fork: {
    words: ['<execution>'],
    async run(gateway, [id], call, world) {
      const seq = call.option('at');
      if (seq === undefined) throw new FlowError('option.unknown', 'fork needs --at, the step that it goes on from');
      return begin(gateway, at(id!, '/fork'), { seq: Number(seq), ...wordsOfStart(call) }, call, world);
    },
  },
  patch: {
    words: ['<execution>', '<file>'],
    async run(gateway, [id, file], call, world) {
      const read = readJsonFile(resolve(world.cwd, file!)) as PatchFile | PatchFile['ops'];
      const { ops, baseRevision } = Array.isArray(read)
        ? { ops: read, baseRevision: (await gateway.ask<ExecutionView>('GET', at(id!))).revision }
        : (read as PatchFile);
      const { execution, seq } = await gateway.ask<Answer>(
        'POST',
        at(id!, '/patch'),
        { baseRevision, ops },
        idOf(call),
      );
      world.out(call.json ? JSON.stringify({ execution, seq }) : `${execution} took it in step ${seq}`);
      return 0;
    },
  },
  schedules: {
    words: [],
    async run(gateway, _, call, world) {
      const { rows } = await gateway.ask<{ rows: readonly ScheduleRow[] }>('GET', '/v1/schedules');
      if (call.json) for (const row of rows) world.out(JSON.stringify(row));
      else {
        const shown = rows.map(({ workflow, cron, timeZone, next, last, running }) => ({
          ...{ workflow, cron, zone: timeZone, next: next ?? 'never', last: last ?? '', running: running ?? '' },
        }));
        for (const line of columnsOf(['workflow', 'cron', 'zone', 'next', 'last', 'running'], shown)) world.out(line);
      }
      return 0;
    },
  },
  backfill: {
    words: ['<workflow>'],
    async run(gateway, [workflow], call, world) {
      const [from, until] = [call.option('from'), call.option('before')];
      if (from === undefined || until === undefined) {
        throw new FlowError(
          'option.unknown',
          'backfill needs --from and --before, such as --from 2026-03-01T00:00:00Z',
        );
      }
      const path = `/v1/schedules/${encodeURIComponent(workflow!)}/backfill`;
      const { rows } = await gateway.ask<{ rows: readonly BackfillRow[] }>('POST', path, { from, until });
      if (call.json) for (const row of rows) world.out(JSON.stringify(row));
      else
        for (const { execution, existing } of rows)
          world.out(`${execution} ${existing ? 'was there already' : 'has started'}`);
      return 0;
    },
  },
  list: {
    words: [],
    async run(gateway, _, call, world) {
      const query = new URLSearchParams();
      for (const name of ['workflow', 'status', 'text', 'limit', 'after']) {
        const value = call.option(name);
        if (value !== undefined) query.set(name, value);
      }
      for (const label of call.options('label')) query.append('label', label);
      for (const [option, name] of [
        ['from', 'startedAfter'],
        ['before', 'startedBefore'],
      ] as const) {
        const time = timeOption(call, option);
        if (time !== undefined) query.set(name, `${time}`);
      }
      if (call.option('degraded') !== undefined) query.set('degraded', 'true');
      const { rows, next } = await gateway.ask<ExecutionPage>('GET', `/v1/executions?${query}`);
      if (call.json) for (const row of rows) world.out(JSON.stringify(row));
      else {
        const shown = rows.map(({ id, workflow, version, status, degraded, startedAt }) => ({
          ...{
            execution: id,
            workflow,
            version,
            status: degraded ? `${status}, degraded` : status,
            started: new Date(startedAt).toISOString(),
          },
        }));
        for (const line of columnsOf(['execution', 'workflow', 'version', 'status', 'started'], shown)) world.out(line);
      }
      if (next !== null) world.err(`there are more: --after ${next}`);
      return 0;
    },
  },
  show: {
    words: ['<execution>'],
    async run(gateway, [id], call, world) {
      const seq = call.option('at');
      show(await gateway.ask<ExecutionView>('GET', at(id!, seq === undefined ? '' : `/at/${seq}`)), call, world);
      return 0;
    },
  },
  explain: {
    words: ['<execution>', '<node>'],
    async run(gateway, [id, node], call, world) {
      const iteration = call.option('iteration');
      const query = iteration === undefined ? '' : `?iteration=${encodeURIComponent(iteration)}`;
      const explained = await gateway.ask<{ text: string }>(
        'GET',
        at(id!, `/nodes/${encodeURIComponent(node!)}/explain${query}`),
      );
      world.out(call.json ? JSON.stringify(explained) : explained.text);
      return 0;
    },
  },
  output: {
    words: ['<reference>'],
    async run(gateway, [reference], call, world) {
      const path = `/v1/outputs/${referenceText(readReference(reference!))}`;
      const found = await gateway.ask<OutputView>('GET', path);
      world.out(JSON.stringify(call.json ? found : found.value));
      return 0;
    },
  },
  history: {
    words: ['<execution>'],
    async run(gateway, [id], _, world) {
      const { rows } = await gateway.ask<{ rows: readonly Json[] }>('GET', at(id!, '/history'));
      for (const row of rows) world.out(JSON.stringify(row));
      return 0;
    },
  },
  watch: {
    words: ['[execution]'],
    async run(gateway, [id], call, world) {
      const query = id === undefined ? '' : `?execution=${encodeURIComponent(id)}`;
      let last: string | undefined;
      await connected(world, async (stands) => {
        for await (const { cursor, data } of await gateway.events(`/v1/events${query}`, world.stop, last)) {
          stands();
          last = cursor;
          world.out(call.json ? data : eventLine(JSON.parse(data) as NamedEvent));
        }
      });
      return 0;
    },
  },
  cancel: command(
    ['<execution>'],
    (id) => at(id, '/cancel'),
    (_, call) => ({ reason: call.option('reason') ?? 'cancelled from the command line' }),
  ),
  end: command(['<execution>'], (id) => at(id, '/end')),
  savepoint: command(['<execution>'], (id) => at(id, '/savepoint')),
  upgrade: {
    words: ['<execution>'],
    async run(gateway, [id], call, world) {
      const version = call.option('version');
      if (version === undefined)
        throw new FlowError('option.unknown', 'upgrade needs --version, such as --version 2.0.0');
      const path = at(id!, '/upgrade');
      const started = await gateway.ask<StartedRow>('POST', path, { version }, idOf(call));
      const how = started.existing ? 'has gone on' : 'goes on';
      world.out(
        call.json ? JSON.stringify(started) : `${id} ${how} as ${started.execution} (version ${started.version})`,
      );
      return 0;
    },
  },
  forget: command(['<execution>'], (id) => at(id, '/forget')),
  pause: command(['<execution>'], (id) => at(id, '/pause')),
  resume: command(['<execution>'], (id) => at(id, '/resume')),
  signal: command(
    ['<execution>', '<name>'],
    (id, name) => at(id, `/signals/${encodeURIComponent(name)}`),
    (_, call) => jsonOption(call, 'input'),
  ),
  retry: command(
    ['<execution>', '<node>'],
    (id) => at(id, '/retry'),
    ([, node]) => ({ node }),
  ),
  intervene: command(
    ['<execution>', '<node>', '<retry|output|skip|fail>'],
    (id, node) => at(id, `/nodes/${encodeURIComponent(node)}/intervene`),
    ([, , action], call) => {
      const [input, iteration] = [call.option('input'), call.option('iteration')];
      const given = action === 'output' ? 'value' : 'input';
      return {
        action,
        ...(input === undefined ? {} : { [given]: jsonOption(call, 'input') }),
        ...(iteration === undefined ? {} : { iteration }),
      };
    },
  ),
  approve: command(
    ['<token>'],
    (token) => `/v1/approvals/${encodeURIComponent(token)}`,
    (_, call) => ({ decision: 'approved', value: jsonOption(call, 'input') }),
  ),
  reject: command(
    ['<token>'],
    (token) => `/v1/approvals/${encodeURIComponent(token)}`,
    (_, call) => ({ decision: 'rejected', value: jsonOption(call, 'input') }),
  ),
};

const usage = Object.entries(ACTIONS).map(([name, { words }]) => [name, ...words].join(' '));

export const execution: Command = {
  name: 'execution',
  parameters: `[${usage.join(' | ')}]`,
  about: 'Starts executions of workflows that are served, looks at them, and sends them commands.',
  words: { min: 1, max: 4 },
  options: {
    input: {
      value: 'json',
      about:
        'With start: the input. With signal, approve, reject: what goes with it. With intervene: another input to retry with, or the output.',
    },
    key: {
      value: 'text',
      about: 'With start, fork: an idempotency key; the same key again finds the execution that it started.',
    },
    version: {
      value: 'version',
      about:
        'With start, fork: which version of the workflow; default the newest, or that of the other. With upgrade: which it goes on in.',
    },
    execution: { value: 'id', about: 'With start, fork: the id that it is to have.' },
    mode: { value: 'mode', about: 'With start: batch, realtime or streaming, whatever its document says.' },
    select: { value: 'node', about: 'With start: runs what this node needs, and no more; may be given several times.' },
    closure: {
      value: 'which',
      about: 'With start and --select: ancestors, the default; descendants; or none, the selected nodes alone.',
    },
    pins: { value: 'json', about: 'With start: what nodes put out without running, by node: {"rate":1.1}.' },
    wait: { about: 'With start, fork: waits until it has ended; exit code 1 unless it is COMPLETED.' },
    from: {
      value: 'time',
      about:
        'With backfill: the first past time that the schedule is to be run for. With list: started then or later, such as 2026-01-31T12:00:00Z.',
    },
    before: {
      value: 'time',
      about: 'With backfill: the end of these times, which is not one of them. With list: started before.',
    },
    degraded: { about: 'With list: that went on without something that failed.' },
    id: { value: 'text', about: 'With commands: their id; the same one twice is one command.' },
    reason: { value: 'text', about: 'With cancel: why.' },
    at: { value: 'step', about: 'With show: as it stood behind that step. With fork: the step that it goes on from.' },
    iteration: { value: 'path', about: 'With explain, intervene: which iteration of a map or a loop.' },
    workflow: { value: 'id', about: 'With list: of this workflow.' },
    status: { value: 'status', about: 'With list: in one of these states, with commas between.' },
    label: { value: 'name=value', about: 'With list, start, fork: with this label; may be given several times.' },
    text: { value: 'words', about: 'With list: with these words in id, workflow, labels or error.' },
    limit: { value: 'rows', about: 'With list: at most so many; default 50.' },
    after: { value: 'place', about: 'With list: goes on behind a page.' },
  },
  run(call, world) {
    const [name, ...words] = call.words;
    const action = Object.hasOwn(ACTIONS, name!) ? ACTIONS[name!]! : undefined;
    const needed = action?.words.filter((word) => word.startsWith('<')).length ?? 0;
    if (action === undefined || words.length < needed || words.length > action.words.length) {
      const takes =
        action === undefined
          ? `there is no action ${name}`
          : `${name} takes ${action.words.join(' ') || 'nothing else'}`;
      throw new FlowError('option.unknown', `${takes}; see nodeflow help execution`);
    }
    return action.run(gatewayOf(call.config()), words, call, world);
  },
};
