import { createHash, timingSafeEqual } from 'node:crypto';
import { FlowError } from '../core/errors.ts';
import type { ApiKey } from './gateway.ts';

const SHORTEST_KEY = 24;
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/** Refuses to open a door that anybody may walk through. */
export function checkProtected(host: string, keys: readonly ApiKey[]): void {
  const short = keys.find(({ key }) => key.length < SHORTEST_KEY);
  if (short !== undefined) {
    throw new FlowError(
      'config.invalid',
      `the API key ${short.name} has ${short.key.length} characters; give at least ${SHORTEST_KEY}, such as those of \`openssl rand -hex 32\``,
    );
  }
  if (keys.length > 0 || isLoopback(host)) return;
  throw new FlowError(
    'gateway.unprotected',
    `the gateway would be open to everybody who reaches ${host}; set an API key, or bind it to 127.0.0.1`,
  );
}

function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** The name of the key that a request carries; undefined where none fits. Takes as long whichever it is. */
export function keyOf(authorization: string | undefined, keys: readonly ApiKey[]): string | undefined {
  const given = digest(/^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '');
  let found: string | undefined;
  for (const { name, key } of keys) if (timingSafeEqual(given, digest(key))) found = name;
  return found;
}

/**
 * Whether a browser's page asked that came from elsewhere: requests of programs have no origin. Without keys the address
 * alone protects, so a page of any other site must not get through the browser of whoever may.
 */
export function isForeign(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false;
  try {
    return new URL(origin).host !== host;
  } catch {
    return true;
  }
}

/** A name that was made to point here is not this host: only names of the loopback, or addresses, are taken without a key. */
export function isRebound(host: string | undefined): boolean {
  if (host === undefined) return true;
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return !isLoopback(name);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
