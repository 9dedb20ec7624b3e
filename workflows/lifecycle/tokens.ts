/** What stands for a node's attempt in an execution, in a text that a human may copy: of approvals and dead letters. */
export interface Token {
  readonly kind: 'approval' | 'letter' | 'held';
  readonly execution: string;
  readonly node: number;
  readonly iteration: string;
  readonly attempt: number;
}

const KINDS = { approval: 'a', letter: 'd', held: 'h' } as const;
const SHAPE = /^([adh])(\d{1,9})-(\d{1,9})-([\d.]{0,200})~(.+)$/;

export function tokenOf({ kind, execution, node, iteration, attempt }: Token): string {
  return `${KINDS[kind]}${attempt}-${node}-${iteration}~${execution}`;
}

/** Undefined where the text is no token. */
export function readToken(text: string): Token | undefined {
  const parts = SHAPE.exec(text);
  if (parts === null) return undefined;
  const kind = parts[1] === 'a' ? 'approval' : parts[1] === 'd' ? 'letter' : 'held';
  return { kind, attempt: Number(parts[2]), node: Number(parts[3]), iteration: parts[4]!, execution: parts[5]! };
}
