import { ANY_ALLOWED, SYNCHRONOUS_ROOMS, TIME_AND_CHANCE } from './rules.ts';
import type { Token } from './tokens.ts';
import { type Fault, isTest, roomOf } from './tree.ts';

interface Pattern {
  readonly rule: string;
  readonly message: string;
  /** A word and what must stand around it; `undefined` stands for anything. */
  readonly found: (code: readonly Token[], at: number) => boolean;
  readonly applies: (file: string) => boolean;
}

const text = (code: readonly Token[], at: number): string => {
  const token = code[at];
  return token === undefined || token.kind === 'string' || token.kind === 'template' ? '' : token.text;
};
const member = (object: string, name: string) => (code: readonly Token[], at: number) =>
  text(code, at) === object && text(code, at + 1) === '.' && text(code, at + 2) === name;
const free = (code: readonly Token[], at: number) => text(code, at - 1) !== '.' && text(code, at + 1) !== ':';
const everywhere = () => true;
const timed = (file: string) => !TIME_AND_CHANCE.includes(file) && !isTest(file);
const chance = (file: string) => !TIME_AND_CHANCE.includes(file);
const synchronous = (file: string) => SYNCHRONOUS_ROOMS.includes(roomOf(file)) && !isTest(file);
const untyped = (file: string) => !ANY_ALLOWED.some((prefix) => file.startsWith(prefix));

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate'];

const PATTERNS: readonly Pattern[] = [
  {
    rule: 'enum',
    message: 'an enum is not erasable: use a union of strings',
    found: (code, at) => text(code, at) === 'enum' && code[at + 1]?.kind === 'word' && text(code, at + 2) === '{',
    applies: everywhere,
  },
  {
    rule: 'namespace',
    message: 'a namespace is not erasable: use a module',
    found: (code, at) => text(code, at) === 'namespace' && code[at + 1]?.kind === 'word' && text(code, at + 2) === '{',
    applies: everywhere,
  },
  {
    rule: 'default export',
    message: 'a default export has no name of its own: export by name',
    found: (code, at) =>
      (text(code, at) === 'export' && text(code, at + 1) === 'default') ||
      (text(code, at) === 'as' && text(code, at + 1) === 'default' && text(code, at + 2) === '}'),
    applies: everywhere,
  },
  {
    rule: 'any',
    message: '`any` switches the compiler off: use unknown, or a type parameter',
    found: (code, at) =>
      text(code, at) === 'any' && free(code, at) && text(code, at + 1) !== '(' && text(code, at + 1) !== '?',
    applies: untyped,
  },
  {
    rule: 'wall clock',
    message: 'time comes from the injected Clock',
    found: (code, at) =>
      member('Date', 'now')(code, at) ||
      member('performance', 'now')(code, at) ||
      member('process', 'hrtime')(code, at) ||
      (text(code, at) === 'Date' &&
        text(code, at - 1) === 'new' &&
        (text(code, at + 1) !== '(' || text(code, at + 2) === ')')),
    applies: timed,
  },
  {
    rule: 'timer',
    message: 'timers come from the injected Clock',
    found: (code, at) => code[at]!.kind === 'word' && TIMERS.includes(code[at]!.text) && text(code, at - 1) !== '.',
    applies: timed,
  },
  {
    rule: 'timer',
    message: 'timers come from the injected Clock',
    found: (code, at) => code[at]!.kind === 'string' && /^(node:)?timers(\/promises)?$/.test(code[at]!.text),
    applies: timed,
  },
  {
    rule: 'chance',
    message: 'randomness comes from a seeded Random',
    found: member('Math', 'random'),
    applies: chance,
  },
  {
    rule: 'promise',
    message: 'operators are synchronous: no promise is made or awaited here',
    found: (code, at) => ['async', 'await', 'Promise'].includes(text(code, at)) && free(code, at),
    applies: synchronous,
  },
  {
    rule: 'skipped test',
    message: 'a test that does not run proves nothing: repair it or remove it',
    found: (code, at) =>
      ['skip', 'only', 'todo'].includes(text(code, at)) &&
      ((text(code, at - 1) === '.' &&
        ['test', 'it', 'describe', 'suite', 't'].includes(text(code, at - 2)) &&
        text(code, at + 1) === '(') ||
        (text(code, at + 1) === ':' && text(code, at + 2) === 'true')),
    applies: isTest,
  },
];

/** Words and constructs that the house does without. */
export function wordFaults(file: string, all: readonly Token[]): readonly Fault[] {
  const faults: Fault[] = [];
  for (const token of all) {
    if (token.kind === 'comment' && /\b(TODO|FIXME|XXX)\b/.test(token.text)) {
      faults.push({
        rule: 'unfinished',
        file,
        line: token.line,
        message: 'finish it, or say what is missing in the documents',
      });
    }
  }
  const code = all.filter((token) => token.kind !== 'comment');
  const patterns = PATTERNS.filter((pattern) => pattern.applies(file));
  for (let at = 0; at < code.length; at++) {
    for (const { rule, message, found } of patterns) {
      if (found(code, at)) faults.push({ rule, file, line: code[at]!.line, message });
    }
  }
  return faults;
}
