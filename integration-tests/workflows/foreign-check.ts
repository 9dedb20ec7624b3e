import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { ForeignCase, ForeignRun, Told } from './foreign-case.ts';

/** What is said in their words, in ours: a list where more than one of ours says the same. */
export interface Words {
  status(theirs: string): string;
  node(theirs: string): readonly string[];
  /** What the execution answers in place of theirs. */
  output(theirs: Told['output']): Told['output'];
}

/** Holds what came against what they say, and against what is said to differ. */
export function checkRun(words: Words, one: ForeignCase, run: ForeignRun, came: Required<Told>): void {
  const { theirs, differs } = run;
  const missed = disagreements(words, theirs, came);
  const { path, test, scenario } = one.source;
  const place = `${path} ${test ?? scenario ?? ''}`;
  if (differs === undefined) {
    assert.deepEqual(missed, [], `${place} says otherwise`);
    return;
  }
  assert.ok(
    DIFFERENCES.has(differs.why),
    `docs/workflows/differences.md does not say why ${place} differs: ${differs.why}`,
  );
  const ours = differs.ours;
  const asListed = { ...ours, nodes: { ...ours.nodes }, outputs: { ...ours.outputs } };
  assert.deepEqual(disagreements(OURS, { status: came.status, ...asListed }, came), [], `${place}: not as is listed`);
  assert.deepEqual(missed.map(({ what }) => what).sort(), listed(ours), `${place}: what differs is not what is listed`);
}

/** Names of the differences that docs/workflows/differences.md lists, and those that it says no case shows. */
export const DIFFERENCES: ReadonlyMap<string, { readonly isShown: boolean }> = new Map(
  readFileSync(new URL('../../docs/workflows/differences.md', import.meta.url), 'utf8')
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), { isShown: !section.includes('*In no case.*') }]),
);

const OURS: Words = { status: (text) => text, node: (text) => [text], output: (value) => value };

interface Disagreement {
  readonly what: string;
  readonly said: unknown;
  readonly came: unknown;
}

function disagreements(words: Words, said: Told, came: Required<Told>): readonly Disagreement[] {
  const found: Disagreement[] = [];
  const compare = (what: string, wanted: unknown, got: unknown) => {
    if (!isDeepStrictEqual(wanted, got)) found.push({ what, said: wanted, came: got });
  };
  compare('status', words.status(said.status), came.status);
  for (const [id, status] of Object.entries(said.nodes ?? {})) {
    const allowed = words.node(status);
    const got = came.nodes[id] ?? '';
    if (!allowed.includes(got)) found.push({ what: `node ${id}`, said: allowed, came: got });
  }
  for (const [id, value] of Object.entries(said.outputs ?? {})) compare(`output of ${id}`, value, came.outputs[id]);
  if ('output' in said) compare('output', words.output(said.output), came.output);
  if ('error' in said) compare('error', said.error, came.error);
  const { order } = said;
  if (order !== undefined)
    compare(
      'order',
      order,
      came.order.filter((id) => order.includes(id)),
    );
  return found;
}

function listed(ours: Partial<Told>): readonly string[] {
  const { nodes = {}, outputs = {}, ...whole } = ours;
  return [
    ...Object.keys(whole),
    ...Object.keys(nodes).map((id) => `node ${id}`),
    ...Object.keys(outputs).map((id) => `output of ${id}`),
  ].sort();
}
