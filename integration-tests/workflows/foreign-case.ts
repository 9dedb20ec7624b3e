import { readdirSync, readFileSync } from 'node:fs';
import type { Json } from '../../core/ids.ts';
import type { WorkflowDocument } from '../../workflows/document.ts';

/**
 * A workflow that nobody here wrote, told again as a document of ours, and what its authors say comes of it.
 *
 * `theirs` is in their words. Each test knows how those map to ours; what is not as they say is listed in
 * docs/workflows/differences.md under the name that `why` gives, and `ours` says what comes instead. Where `ours` is as
 * `theirs` would be, that is an error too: a difference that is none is not to be listed.
 */
export interface ForeignCase {
  readonly source: {
    readonly repository: string;
    readonly commit: string;
    readonly path: string;
    /** The test or the scenario of that file. */
    readonly test?: string;
    readonly scenario?: string;
  };
  /** Documents that it starts. */
  readonly others?: readonly WorkflowDocument[];
  readonly document: WorkflowDocument;
  readonly runs: readonly ForeignRun[];
}

export interface ForeignRun {
  readonly name: string;
  readonly input: Json;
  /** What the function `outcome` does at a node; where nothing is said it gives null. */
  readonly outcomes?: { readonly [node: string]: ForeignOutcome };
  /** Only these nodes, and what they need. */
  readonly select?: readonly string[];
  readonly theirs: Told;
  readonly differs?: { readonly why: string; readonly ours: Partial<Told> };
}

/** `fails`: always, or so many times. */
export type ForeignOutcome = { readonly gives: Json } | { readonly fails: true | number };

export interface Told {
  readonly status: string;
  /** In our words with the cause behind it, where it is CANCELLED. */
  readonly nodes?: { readonly [node: string]: string };
  /** What nodes put out. */
  readonly outputs?: { readonly [node: string]: Json };
  /** What the whole answers. */
  readonly output?: Json;
  readonly error?: Json;
  /** Nodes that complete, in this order; others may come between. */
  readonly order?: readonly string[];
}

/** All cases of a folder beside this file, by name. */
export function foreignCases(folder: string): ReadonlyMap<string, ForeignCase> {
  const at = new URL(`${folder}/`, import.meta.url);
  const names = readdirSync(at).filter((name) => name.endsWith('.json'));
  return new Map(
    names.sort().map((name) => [name, JSON.parse(readFileSync(new URL(name, at), 'utf8')) as ForeignCase]),
  );
}
