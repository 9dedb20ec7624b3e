import { FlowError, isFlowError } from '../core/errors.ts';
import { type LetterQuery, type Letters, LogLetters } from '../workflows/workflows.ts';
import type { Call } from './command.ts';
import { withLog } from './engine.ts';
import { type GatewayClient, gatewayOf } from './gateway-client.ts';
import type { World } from './world.ts';

/** Dead letters where workflows are served, or with `--log` those of the log itself. */
export function withLetters<T>(call: Call, world: World, use: (letters: Letters) => Promise<T>): Promise<T> {
  if (call.option('log') === undefined) return served(() => use(servedLetters(gatewayOf(call.config()))));
  return withLog(call, world, ({ log }) => use(new LogLetters({ log, clock: world.clock })));
}

async function served<T>(use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (thrown) {
    if (!isFlowError(thrown, 'gateway.unreachable')) throw thrown;
    throw new FlowError(thrown.code, `${thrown.message}; those of an application by itself are had with --log`, {
      cause: thrown,
    });
  }
}

function servedLetters(gateway: GatewayClient): Letters {
  const path = '/v1/dead-letters';
  const of = (id: string, rest = '') => `${path}/${encodeURIComponent(id)}${rest}`;
  return {
    deadLetters: (query = {}) => gateway.ask('GET', `${path}?${textOf(query)}`),
    deadLetter: (id, { raw = false } = {}) => gateway.ask('GET', of(id, raw ? '?raw=true' : '')),
    redrive(id, { change = {}, again, id: key } = {}) {
      const body = { ...change, ...(again === undefined ? {} : { again }) };
      return gateway.ask('POST', of(id, '/redrive'), body, key === undefined ? {} : { 'idempotency-key': key });
    },
    redriveAll(query, { ids, preview, change = {} } = {}) {
      const more = { ...(ids === undefined ? {} : { ids }), ...(preview === undefined ? {} : { preview }) };
      return gateway.ask('POST', `${path}/redrive`, { ...query, ...more, ...change });
    },
  };
}

function textOf(query: LetterQuery): URLSearchParams {
  return new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)] as [string, string]));
}
