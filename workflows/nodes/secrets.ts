import type { Json } from '../../core/ids.ts';
import { registerSecret } from '../../telemetry/telemetry.ts';
import { NodeFailure } from '../errors/node-failure.ts';
import { isSecretReference } from '../secret-reference.ts';

/** Where secrets are: asked when a task runs, so that none is ever written to the log. */
export type Secrets = (name: string) => string | undefined;

/** A configuration with its references to secrets, `{ "secret": "NAME" }`, filled in; never data, which names none. */
export function withSecrets(json: Json, secrets: Secrets): Json {
  if (Array.isArray(json)) return json.map((item: Json) => withSecrets(item, secrets));
  if (typeof json !== 'object' || json === null) return json;
  if (!isSecretReference(json)) {
    return Object.fromEntries(Object.entries(json).map(([name, field]) => [name, withSecrets(field, secrets)]));
  }
  const value = secrets(json.secret);
  if (value === undefined) {
    throw new NodeFailure(
      'USER',
      'workflow.secret-missing',
      `there is no secret ${json.secret}: give it to the engine`,
    );
  }
  registerSecret(value);
  return value;
}
