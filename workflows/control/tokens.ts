import { FlowError } from '../../core/errors.ts';
import { readToken } from '../lifecycle/lifecycle.ts';

/** Which execution waits for an approval. */
export function executionOfToken(token: string): string {
  const read = readToken(token);
  if (read !== undefined) return read.execution;
  throw new FlowError('workflow.rejected', `${token} is no token of an approval; copy it as the execution shows it`);
}
