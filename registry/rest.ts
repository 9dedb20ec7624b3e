import { messageOf } from '../core/errors.ts';
import type { CompatibilityLevel } from '../schemas/schemas.ts';
import {
  checked,
  type Decision,
  deleteSubject,
  deleteVersion,
  faultsAgainst,
  register,
  schemaOf,
  setLevel,
  shown,
  shownText,
  versionOf,
} from './actions.ts';
import { noLevel, noSchema, noSubject, RestFault } from './faults.ts';
import type { Journal } from './journal.ts';
import type { HttpAnswer, HttpRequest } from './registry.ts';
import { DEFAULT_LEVEL, type Subjects } from './subjects.ts';

interface Parts {
  readonly subjects: Subjects;
  readonly journal: Journal;
}

/** A request whose path has been matched. */
interface Asked extends Parts {
  /** What stands in the path where the route has `:`. */
  readonly words: readonly string[];
  flag(name: string): boolean;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

type Handler = (asked: Asked) => unknown;

const change =
  (decide: (asked: Asked) => Decision | Promise<Decision>): Handler =>
  (asked) =>
    asked.journal.change(async () => decide(asked));
const read =
  (look: (asked: Asked) => unknown): Handler =>
  (asked) =>
    asked.journal.read(() => look(asked));

/** Method and path, where `:` stands for a word of the request. */
const ROUTES: { readonly [route: string]: Handler } = {
  'GET /': () => ({}),
  'GET /subjects': read(({ subjects, flag, query }) => {
    const prefix = query.get('subjectPrefix') ?? '';
    return subjects.names(flag('deleted')).filter((name) => name.startsWith(prefix));
  }),
  'GET /subjects/:/versions': read(({ subjects, words: [subject], flag }) => {
    const versions = subjects.versions(subject!, flag('deleted'));
    if (versions.length === 0) throw noSubject(subject!);
    return versions.map(({ version }) => version);
  }),
  'GET /subjects/:/versions/:': read(({ subjects, words: [subject, version], flag }) =>
    shown(versionOf(subjects, subject!, version!, flag('deleted'))),
  ),
  'GET /subjects/:/versions/:/schema': read(({ subjects, words: [subject, version], flag }) =>
    JSON.parse(versionOf(subjects, subject!, version!, flag('deleted')).schema),
  ),
  'GET /subjects/:/versions/:/referencedby': read(({ subjects, words: [subject, version] }) => {
    const found = versionOf(subjects, subject!, version!, true);
    return subjects.referrers(found.subject, found.version);
  }),
  'POST /subjects/:/versions': change(({ subjects, words: [subject], body }) => register(subjects, subject!, body)),
  'POST /subjects/:': read(lookUp),
  'DELETE /subjects/:': change(({ subjects, words: [subject], flag }) =>
    deleteSubject(subjects, subject!, flag('permanent')),
  ),
  'DELETE /subjects/:/versions/:': change(({ subjects, words: [subject, version], flag }) =>
    deleteVersion(subjects, subject!, version!, flag('permanent')),
  ),
  'GET /schemas/types': () => ['AVRO'],
  'GET /schemas/ids/:': read(({ subjects, words: [id] }) => shownText(byId(subjects, id!))),
  'GET /schemas/ids/:/schema': read(({ subjects, words: [id] }) => JSON.parse(byId(subjects, id!).schema)),
  'GET /schemas/ids/:/subjects': read(({ subjects, words: [id], flag }) => [
    ...new Set(usesOf(subjects, id!, flag('deleted')).map(({ subject }) => subject)),
  ]),
  'GET /schemas/ids/:/versions': read(({ subjects, words: [id], flag }) =>
    usesOf(subjects, id!, flag('deleted')).map(({ subject, version }) => ({ subject, version })),
  ),
  'POST /compatibility/subjects/:/versions': read(async ({ subjects, words: [subject], body, flag }) =>
    compatibility(subjects, { subject: subject!, version: undefined, body, verbose: flag('verbose') }),
  ),
  'POST /compatibility/subjects/:/versions/:': read(async ({ subjects, words: [subject, version], body, flag }) =>
    compatibility(subjects, { subject: subject!, version, body, verbose: flag('verbose') }),
  ),
  'GET /config': read(({ subjects }) => ({ compatibilityLevel: subjects.level(undefined) ?? DEFAULT_LEVEL })),
  'PUT /config': change(({ body }) => setLevel(undefined, body)),
  'DELETE /config': change(({ subjects }) => ({
    entries: [{ kind: 'level', subject: undefined, level: undefined }],
    answer: { compatibilityLevel: subjects.level(undefined) ?? DEFAULT_LEVEL },
  })),
  'GET /config/:': read(({ subjects, words: [subject], flag }) => {
    const level = flag('defaultToGlobal') ? subjects.levelOf(subject!) : subjects.level(subject!);
    if (level === undefined) throw noLevel(subject!);
    return { compatibilityLevel: level };
  }),
  'PUT /config/:': change(({ words: [subject], body }) => setLevel(subject, body)),
  'DELETE /config/:': change(({ subjects, words: [subject] }) => {
    const level = subjects.level(subject!);
    if (level === undefined) throw noLevel(subject!);
    return { entries: [{ kind: 'level', subject, level: undefined }], answer: { compatibilityLevel: level } };
  }),
  'GET /mode': () => ({ mode: 'READWRITE' }),
  'GET /mode/:': () => ({ mode: 'READWRITE' }),
};

/** Answers one request; what is wrong with it is an answer too. */
export async function answerRequest(parts: Parts, { method, path, body }: HttpRequest): Promise<HttpAnswer> {
  try {
    const { handler, words, query } = match(method, path);
    const flag = (name: string) => query.get(name) === 'true';
    return { status: 200, body: await handler({ ...parts, words, query, flag, body }) };
  } catch (thrown) {
    const fault = thrown instanceof RestFault ? thrown : new RestFault(50001, `Error in the log: ${messageOf(thrown)}`);
    return { status: fault.status, body: { error_code: fault.code, message: fault.message } };
  }
}

function match(method: string, path: string) {
  const { pathname, searchParams: query } = new URL(path, 'http://registry');
  const parts = pathname.replace(/\/+$/, '').split('/');
  const allowed: string[] = [];
  for (const [route, handler] of Object.entries(ROUTES)) {
    const [wanted, pattern] = route.split(' ') as [string, string];
    const names = pattern.replace(/\/$/, '').split('/');
    if (names.length !== parts.length || !names.every((name, i) => name === ':' || name === parts[i])) continue;
    if (wanted === method) return { handler, words: parts.filter((_, i) => names[i] === ':').map(decoded), query };
    allowed.push(wanted);
  }
  if (allowed.length > 0) throw new RestFault(405, `${pathname} takes ${allowed.join(', ')}, not ${method}`);
  throw new RestFault(404, `${pathname} is no path of a schema registry`);
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    throw new RestFault(400, `${word} is not percent-encoded`);
  }
}

async function lookUp({ subjects, words: [subject], body, flag }: Asked): Promise<unknown> {
  const versions = subjects.versions(subject!, flag('deleted'));
  if (versions.length === 0) throw noSubject(subject!);
  const schema = schemaOf(body);
  await checked(subjects, schema);
  const id = subjects.idOf(schema);
  const found = versions.findLast((one) => one.id === id);
  if (found === undefined) throw noSchema();
  return shown(found);
}

function byId(subjects: Subjects, id: string) {
  const [found] = /^\d+$/.test(id) ? subjects.byId(Number(id)) : [];
  if (found === undefined) throw noSchema(`Schema ${id}`);
  return found;
}

function usesOf(subjects: Subjects, id: string, deleted: boolean) {
  byId(subjects, id);
  return subjects.byId(Number(id)).filter((one) => deleted || !one.deleted);
}

interface Comparison {
  readonly subject: string;
  /** `undefined`: all that the rule of the subject names. */
  readonly version: string | undefined;
  readonly body: unknown;
  readonly verbose: boolean;
}

async function compatibility(subjects: Subjects, { subject, version, body, verbose }: Comparison): Promise<unknown> {
  const schema = schemaOf(body);
  const against =
    version === undefined ? subjects.versions(subject, false) : [versionOf(subjects, subject, version, false)];
  const type = await checked(subjects, schema);
  const level: CompatibilityLevel = subjects.levelOf(subject);
  const messages = await faultsAgainst(subjects, level, type, against);
  return { is_compatible: messages.length === 0, ...(verbose ? { messages } : {}) };
}
