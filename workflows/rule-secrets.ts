import type { Json } from '../core/ids.ts';
import type { Path } from './faults.ts';
import type { Judged } from './judged.ts';
import { isSecretReference } from './secret-reference.ts';
import { isMarked } from './template.ts';

/** A field that is called so holds a secret, unless it says where one is: `{ "secret": "NAME" }`. */
const NAMES =
  /^(.*[_-])?(pass(word|wd|phrase)?|pwd|secret|token|credentials?|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|auth[_-]?key|client[_-]?secret|bearer)$/;

/** Texts that are one, whatever the field is called. All bounded, so that the time grows with the text alone. */
const SHAPES: readonly { readonly what: string; readonly shape: RegExp }[] = [
  { what: 'a bearer token', shape: /\bBearer\s{1,5}[A-Za-z0-9._~+/-]{12}/i },
  { what: 'credentials of basic authentication', shape: /\bBasic\s{1,5}[A-Za-z0-9+/]{12}/ },
  { what: 'an access key of AWS', shape: /\b(AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { what: 'a private key', shape: /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/ },
  { what: 'a token of GitHub', shape: /\b(gh[pousr]_[A-Za-z0-9]{30}|github_pat_[A-Za-z0-9_]{30})/ },
  { what: 'a token of Slack', shape: /\bxox[abprs]-[A-Za-z0-9-]{10}/ },
  { what: 'an API key', shape: /\b(sk|rk|pk)[-_](live|test|proj|ant)[-_][A-Za-z0-9_-]{12}/ },
  { what: 'an API key of Google', shape: /\bAIza[A-Za-z0-9_-]{30}/ },
  { what: 'a JSON Web Token', shape: /\beyJ[A-Za-z0-9_-]{8,200}\.eyJ[A-Za-z0-9_-]{8}/ },
  { what: 'a password within an address', shape: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{1,200}:[^\s/@]{1,200}@/i },
];

/** Secrets in clear, wherever something of them would be published: no message repeats one. */
export function judgeSecrets({ sound, nodes, edges, faults }: Judged): void {
  const found = (path: Path, what: string) =>
    faults.add(
      'workflow.secret',
      path,
      `${what} stands here for everybody to read`,
      'Write { "secret": "NAME" }, and give the engine the secret under this name.',
    );
  const { policy: _policy, inputs: _inputs, ui: _ui, ...rest } = sound.document;
  look(rest as Json, [], found);
  for (const { index, node } of nodes)
    look((node.data?.config ?? null) as Json, ['nodes', index, 'data', 'config'], found);
  for (const { index, node } of nodes)
    look((node.data?.session?.write ?? null) as Json, ['nodes', index, 'data', 'session', 'write'], found);
  for (const { index, edge } of edges) look((edge.data?.map ?? null) as Json, ['edges', index, 'data', 'map'], found);
}

function look(json: Json, path: Path, found: (path: Path, what: string) => void): void {
  if (typeof json === 'string') {
    const shape = SHAPES.find(({ shape }) => shape.test(json));
    const name = String(path.at(-1) ?? '');
    if (shape !== undefined) found(path, shape.what);
    else if (isSecretName(name) && json !== '' && !isMarked(json)) found(path, `the value of ${name}`);
  } else if (Array.isArray(json)) {
    for (const [i, item] of json.entries()) look(item as Json, [...path, i], found);
  } else if (typeof json === 'object' && json !== null && !isSecretReference(json)) {
    for (const [name, field] of Object.entries(json)) look(field as Json, [...path, name], found);
  }
}

/** `dbPassword`, `db_password`, `X-Api-Key`. */
function isSecretName(name: string): boolean {
  if (name.length > 100) return false;
  const apart = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  return NAMES.test(apart);
}
