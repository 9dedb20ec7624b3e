import { FlowError } from '../../core/errors.ts';

/** Tokens of approvals begin with the execution that waits: `<execution>:<rest>`. */
export function executionOfToken(token: string): string {
  const colon = token.indexOf(':');
  if (colon > 0) return token.slice(0, colon);
  throw new FlowError('workflow.rejected', `${token} is no token of an approval; copy it as the execution shows it`);
}
