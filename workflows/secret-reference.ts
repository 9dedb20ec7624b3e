import type { Json } from '../core/ids.ts';

const REFERENCE = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;

/** Whether JSON says where a secret is, instead of what it is. */
export function isSecretReference(json: Json | undefined): json is { readonly secret: string } {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return false;
  const { secret } = json as { readonly [name: string]: Json };
  return Object.keys(json).length === 1 && typeof secret === 'string' && REFERENCE.test(secret);
}
