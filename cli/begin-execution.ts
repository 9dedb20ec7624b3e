import { FlowError } from '../core/errors.ts';
import type { ExecutionView } from '../workflows/workflows.ts';
import type { Call } from './command.ts';
import { connected } from './connected.ts';
import { show } from './execution-shown.ts';
import type { GatewayClient } from './gateway-client.ts';
import { jsonOption, pairsOption } from './parse.ts';
import type { World } from './world.ts';

export interface StartedRow {
  readonly execution: string;
  readonly workflow: string;
  readonly version: string;
  readonly existing: boolean;
}

export function executionPath(id: string, rest = ''): string {
  return `/v1/executions/${encodeURIComponent(id)}${rest}`;
}

/** What is said of an execution that begins, whatever it begins with. */
export function wordsOfStart(call: Call) {
  const [version, name] = [call.option('version'), call.option('execution')];
  const labels = pairsOption(
    call,
    'label',
    (text) => new FlowError('option.unknown', `--label ${text} is no name=value`),
  );
  return {
    ...(version === undefined ? {} : { version }),
    ...(name === undefined ? {} : { execution: name }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

/** Which nodes a start is for, and what stands in for others. */
export function partOf(call: Call) {
  const [mode, closure, nodes] = [call.option('mode'), call.option('closure'), call.options('select')];
  const select = { nodes, ...(closure === undefined ? {} : { closure }) };
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(nodes.length === 0 ? {} : { select }),
    ...(call.option('pins') === undefined ? {} : { pins: jsonOption(call, 'pins') }),
  };
}

/** Asks for it, and waits for its end where that is wanted. */
export async function begin(
  gateway: GatewayClient,
  path: string,
  body: object,
  call: Call,
  world: World,
): Promise<number> {
  const key = call.option('key');
  const headers: { readonly [name: string]: string } = key === undefined ? {} : { 'idempotency-key': key };
  const started = await gateway.ask<StartedRow>('POST', path, body, headers);
  if (call.option('wait') !== undefined) return waitFor(gateway, started.execution, call, world);
  const { execution, existing, workflow, version } = started;
  world.out(
    call.json
      ? JSON.stringify(started)
      : `${execution} ${existing ? 'was there already' : 'has started'} (${workflow} ${version})`,
  );
  return 0;
}

/** Follows the events of an execution until it has ended. It listens before it looks, so that no end passes between. */
async function waitFor(gateway: GatewayClient, id: string, call: Call, world: World): Promise<number> {
  const looked = new AbortController();
  const path = `/v1/events?execution=${encodeURIComponent(id)}&types=EXECUTION_COMPLETED`;
  const look = () => gateway.ask<ExecutionView>('GET', executionPath(id));
  const view = await connected(world, async (stands) => {
    const ends = await gateway.events(path, AbortSignal.any([world.stop, looked.signal]));
    const now = await look();
    stands();
    if (now.phase === 'ended') return now;
    await ends.next();
    return look();
  });
  looked.abort();
  show(view, call, world);
  return view.status === 'COMPLETED' ? 0 : 1;
}
