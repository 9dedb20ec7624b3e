import { isIP } from 'node:net';
import { FlowError } from '../../core/errors.ts';

/** Where a broker listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** `host:port`, for messages and as a key. */
  readonly name: string;
}

export function endpoint(host: string, port: number): Endpoint {
  return { host, port, name: isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}` };
}

const DEFAULT_PORT = 9092;

/** Reads `host:port,host:port`; the port may be left out, an IPv6 address stands in brackets. */
export function endpoints(text: string): readonly Endpoint[] {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) throw invalid(text, 'is empty');
  return parts.map((part) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/.exec(part);
    const port = Number(match?.[3] ?? DEFAULT_PORT);
    if (match === null || port < 1 || port > 65535) throw invalid(part, 'is no address');
    return endpoint((match[1] ?? match[2])!, port);
  });
}

function invalid(text: string, why: string): FlowError {
  return new FlowError('config.invalid', `brokers: "${text}" ${why}; write host:port, several with commas between`);
}
