import { readFileSync } from 'node:fs';
import type { Statement, Text } from './op.ts';

/** The file of vectors, as `format.md` says it. */
export interface VectorFile {
  readonly format: string;
  readonly vectors: readonly Vector[];
  readonly derived: readonly Derived[];
}

export interface Vector {
  readonly id: string;
  readonly area?: string;
  readonly title?: string;
  readonly config?: { readonly store?: string; readonly optimize?: string };
  readonly topology: readonly Statement[];
  readonly steps?: readonly Step[];
  readonly error?: { readonly at?: string; readonly class?: string };
  readonly expectTopology?: ExpectedTopology;
  readonly state?: { readonly [store: string]: readonly StateRow[] };
}

export interface InputRecord {
  readonly k: Text;
  readonly v: Text;
  readonly ts: number;
  readonly h?: string;
}

/** One record to a topic, several to several topics, or the wall clock moved on. */
export interface Step extends Partial<InputRecord> {
  readonly in?: string | readonly (InputRecord & { readonly in: string })[];
  readonly advance?: number;
  readonly out?: readonly OutputRecord[];
  readonly dropped?: number;
  readonly error?: string;
}

/**
 * Whether the outputs of a step are a set. Files say it in words of their own (`set`, `unordered`, `order: "any"`), so
 * any field of the step that speaks of it counts.
 */
export function isSet(step: Step): boolean {
  return Object.entries(step).some(([name, value]) => {
    if (/^ordered$/i.test(name)) return value === false;
    return /set|order/i.test(name) && (value === true || value === 'any' || value === 'set');
  });
}

export interface OutputRecord {
  readonly k: Text;
  readonly win?: readonly [number, number | string];
  readonly v: Text;
  readonly ts: number;
  readonly h?: string;
}

export interface StateRow {
  readonly k: Text;
  readonly win?: readonly [number, number | string];
  readonly v: Text;
  readonly ts?: number;
}

export interface ExpectedTopology {
  readonly subtopologies?: number;
  readonly internalTopics?: readonly string[];
  readonly stores?: readonly string[];
}

/** A table or a script read off the code, by area; `derived.ts` knows their shapes. */
export interface Derived {
  readonly id: string;
  readonly area: string;
  readonly config?: { readonly [name: string]: number };
  readonly script?: readonly { readonly [word: string]: unknown }[];
  readonly input?: { readonly [word: string]: unknown };
  readonly expect?: unknown;
}

const FORMAT = 'kstreams-vectors/1';

/** Reads a file of vectors; fails in words where it is none. */
export function readVectors(path: string | URL): VectorFile {
  const file = JSON.parse(readFileSync(path, 'utf8')) as Partial<VectorFile>;
  if (file.format !== FORMAT) {
    throw new Error(`its format is ${file.format}, and this reads ${FORMAT}; see integration-tests/vectors/format.md`);
  }
  return { format: FORMAT, vectors: file.vectors ?? [], derived: file.derived ?? [] };
}
