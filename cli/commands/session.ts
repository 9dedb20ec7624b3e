import { FlowError } from '../../core/errors.ts';
import type { SessionView } from '../../workflows/workflows.ts';
import type { Call, Command } from '../command.ts';
import { gatewayOf } from '../gateway-client.ts';
import type { World } from '../world.ts';

const at = (name: string, id: string, rest = '') =>
  `/v1/sessions/${encodeURIComponent(name)}/${encodeURIComponent(id)}${rest}`;

export const session: Command = {
  name: 'session',
  parameters: '[show <name> <id> | clear <name> <id>]',
  about: 'Shows what executions of one user keep between them, and who holds it; or empties it.',
  words: { min: 3, max: 3 },
  options: {
    at: { value: 'time', about: 'With show: as it was at that time, such as 2026-03-01T00:00:00Z.' },
  },
  async run(call, world) {
    const [action, name, id] = call.words as [string, string, string];
    const gateway = gatewayOf(call.config());
    if (action === 'show') {
      const view = await gateway.ask<SessionView>('GET', at(name, id, timeOf(call)));
      if (call.json) world.out(JSON.stringify(view));
      else show(view, world);
      return 0;
    }
    if (action === 'clear') {
      await gateway.ask('POST', at(name, id, '/clear'));
      world.out(call.json ? JSON.stringify({ name, id }) : `the session ${name} of ${id} is empty`);
      return 0;
    }
    throw new FlowError('option.unknown', `there is no action ${action}; see nodeflow help session`);
  },
};

function timeOf(call: Call): string {
  const text = call.option('at');
  if (text === undefined) return '';
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new FlowError('option.unknown', `--at is no time: ${text}`);
  return `?at=${time}`;
}

function show({ name, id, values, expiresAt, holder, waiting }: SessionView, world: World): void {
  const words = (time: number) => new Date(time).toISOString();
  const state =
    holder === null
      ? `free, until ${words(expiresAt!)}`
      : `held by ${holder.execution} since ${words(holder.since)}, ${waiting} waiting`;
  world.out(`${name} of ${id}: ${state}`);
  for (const [key, value] of Object.entries(values)) world.out(`  ${key}: ${JSON.stringify(value)}`);
}
