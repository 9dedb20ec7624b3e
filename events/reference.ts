import { FlowError } from '../core/errors.ts';

/** Where a value stands that an execution has put out, or answers. */
export interface OutputPlace {
  readonly execution: string;
  /** The step in which it was written: what is written later, at the same port, is another value. */
  readonly seq: number;
  /** Null: what the execution answers. */
  readonly at: { readonly node: string; readonly iteration: string; readonly port: string } | null;
}

/**
 * A place as text, `<execution>/<step>/<node>/<port>`, in an iteration `<execution>/<step>/<node>@<iteration>/<port>`, of
 * an answer `<execution>/<step>`; each part as in an address, so that all of it is one behind `/v1/outputs/`.
 */
export function referenceText({ execution, seq, at }: OutputPlace): string {
  const whole = `${partText(execution)}/${seq}`;
  if (at === null) return whole;
  const { node, iteration, port } = at;
  return `${whole}/${partText(node)}${iteration === '' ? '' : `@${iteration}`}/${partText(port)}`;
}

/** Throws `query.invalid`. */
export function readReference(text: string): OutputPlace {
  const parts = text.split('/').map(readPart);
  const [execution, seq, node, port] = parts;
  const isRead = parts.every((part) => part !== undefined) && (parts.length === 2 || parts.length === 4);
  if (!isRead || execution === '' || !/^[1-9]\d{0,15}$/.test(seq ?? '')) {
    throw new FlowError(
      'query.invalid',
      `${JSON.stringify(text)} is no reference to an output; give that of an event, such as order-7/4/pay/out`,
    );
  }
  const place = { execution: execution!, seq: Number(seq) };
  if (node === undefined || port === undefined) return { ...place, at: null };
  const [id, iteration = ''] = node.split('@') as [string, string?];
  return { ...place, at: { node: id, iteration, port } };
}

function partText(part: string): string {
  return encodeURIComponent(part.toWellFormed());
}

function readPart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
