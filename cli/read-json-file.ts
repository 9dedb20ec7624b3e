import { readFileSync } from 'node:fs';
import { FlowError, messageOf } from '../core/errors.ts';

/** What JSON is in a file, whatever it may be. Throws `file.missing` and `file.broken`. */
export function readJsonFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    throw new FlowError('file.missing', `there is no file ${path}; check the path`);
  }
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new FlowError('file.broken', `${path} is no JSON (${messageOf(thrown)}); correct it`, { cause: thrown });
  }
}
