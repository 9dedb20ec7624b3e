import { createServer } from 'node:net';
import { FlowError } from '../../core/errors.ts';
import { HOST } from './properties.ts';

/** Below the ports that systems give to outgoing connections, so that none of these takes ours before a broker does. */
const FIRST = 20_000;
const SPAN = 12_000;
const STEP = 37;

/** Ports that nobody listens on; processes begin to look at different places. */
export async function freePorts(count: number, attempt = 0): Promise<readonly number[]> {
  const found: number[] = [];
  const begin = (process.pid * STEP + attempt * 1_009) % SPAN;
  for (let i = 0; i < SPAN && found.length < count; i++) {
    const port = FIRST + ((begin + i) % SPAN);
    if (await isFree(port)) found.push(port);
  }
  if (found.length < count)
    throw new FlowError('port.taken', `no free ports from ${FIRST} on; stop what listens there`);
  return found;
}

/** Ports from a given one on. Fails with `port.taken`. */
export async function portsFrom(first: number, count: number): Promise<readonly number[]> {
  const ports = Array.from({ length: count }, (_, i) => first + i);
  for (const port of ports) {
    if (await isFree(port)) continue;
    const last = first + count - 1;
    throw new FlowError(
      'port.taken',
      `port ${port} of ${HOST} is taken (${first} to ${last} are needed); stop what listens there, or choose another --port`,
    );
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
