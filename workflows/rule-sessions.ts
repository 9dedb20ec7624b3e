import { isSchema } from '../expressions/expressions.ts';
import { durationOf } from './duration.ts';
import { type Path, quoted } from './faults.ts';
import { schemaCheck, schemaFault } from './json-schema.ts';
import type { Judged, JudgedNode } from './judged.ts';

/** What nodes use of a session is declared, and what is declared can be. Expressions are judged with all others. */
export function judgeSessions(judged: Judged): void {
  judgeDeclaration(judged);
  for (const one of judged.nodes) if (one.node.data?.session !== undefined) judgeNode(one, judged);
}

function judgeDeclaration({ sound, faults }: Judged): void {
  const { session } = sound.document;
  if (typeof session?.ttl === 'string' && !(durationOf(session.ttl)! > 0)) {
    faults.add(
      'workflow.session',
      ['session', 'ttl'],
      `a session lasts longer than nothing, and not ${session.ttl}`,
      'Write how long it lasts behind its last use, such as 30m.',
    );
  }
  for (const [key, spec] of Object.entries(session?.keys ?? {})) {
    const path = ['session', 'keys', key];
    const { schema, default: preset } = spec ?? {};
    if (!isSchema(schema)) continue;
    const wrong = schemaFault(schema);
    if (wrong !== undefined) {
      faults.add('workflow.schema', [...path, 'schema'], `it is no JSON Schema: ${wrong}`, 'Correct it.');
    } else if (preset !== undefined) {
      const [misfit] = schemaCheck(schema)(preset);
      const message = `the default of ${key} does not fit its schema: ${misfit?.instancePath} ${misfit?.message}`;
      if (misfit !== undefined) faults.add('workflow.session', [...path, 'default'], message, 'Give one that fits.');
    }
  }
}

function judgeNode({ index, node, type }: JudgedNode, { sound, faults }: Judged): void {
  const path: Path = ['nodes', index, 'data', 'session'];
  const { session } = sound.document;
  const say = (more: Path, message: string, cure: string) =>
    faults.add('workflow.session', [...path, ...more], message, cure);
  if (type?.behaviour.kind === 'operator') {
    const message = `${quoted(node.id)} is a node of the data plane, which knows no session`;
    say([], message, 'Read the session in a node before it, and hand on what is wanted.');
    return;
  }
  if (session === undefined) {
    const cure = 'Add session to the document: { "id": "= input.user", "ttl": "30m", "keys": { ... } }.';
    say([], `${quoted(node.id)} uses a session, and the document declares none`, cure);
    return;
  }
  const keys = Object.keys(session.keys ?? {});
  const { read = [], write = {} } = node.data!.session!;
  const used = [
    ...read.map((key, i) => ['read', i, key] as const),
    ...Object.keys(write).map((key) => ['write', key, key] as const),
  ];
  for (const [how, place, key] of used) {
    if (typeof key !== 'string' || keys.includes(key)) continue;
    const message = `${quoted(node.id)} uses ${key} of the session, which the document does not declare`;
    say([how, place], message, `Add it to keys of the session, which has ${keys.join(', ') || 'none'}.`);
  }
}

/** What to do about an expression that reads the session undeclared; undefined where that is not what is wrong. */
export function undeclaredCure(fault: { readonly code: string; readonly message: string }): string | undefined {
  if (fault.code !== 'expression.unknown-name' || fault.message !== 'there is no variable session') return undefined;
  return 'Declare it at the node: "session": { "read": ["<key>"] }; edges, joins and outputs have none.';
}
