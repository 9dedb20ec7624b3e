import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FlowError, messageOf } from '../core/errors.ts';
import type { Config } from './config.ts';
import type { ConfigName } from './config-keys.ts';

/** The text of the PEM file that a key names, from the current folder; `undefined` where it names none. */
export function pemOf(config: Config, key: ConfigName, cwd: string): string | undefined {
  const file = config.text(key);
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(resolve(cwd, file), 'utf8');
  } catch (thrown) {
    throw new FlowError(
      'file.missing',
      `${key} names ${file}, which cannot be read (${messageOf(thrown)}); check the path`,
    );
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new FlowError('file.broken', `${key} names ${file}, which is no PEM file; name one, in text with -----BEGIN`);
}
