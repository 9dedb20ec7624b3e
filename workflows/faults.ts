import type { DocumentFault } from './document.ts';
import { pointerOf } from './template.ts';

/** Every code of a fault of a document, with what it stands for; docs/workflows/faults.md is printed from it. */
export const FAULTS = {
  'workflow.not-json':
    'Something in the document is no JSON: undefined, a function, NaN, an object that contains itself.',
  'workflow.too-large': 'The document has more bytes, values, nodes or edges than the bounds allow.',
  'workflow.too-deep': 'Objects and lists lie in each other deeper than 64.',
  'workflow.prototype-name':
    'A name is `__proto__`, `prototype` or `constructor`, which no field, node or port may be called.',
  'workflow.schema': 'A field is missing, or is not what the JSON Schema of documents says.',
  'workflow.unknown-field': 'A field is not known; often a misspelling.',
  'workflow.duplicate-id': 'Two nodes, edges or cases have one id.',
  'workflow.duplicate-edge': 'Two edges connect the same ports.',
  'workflow.unknown-node':
    'An edge, a parent, a compensation, a pin or a part of a `try` names a node that is not there.',
  'workflow.unknown-type': 'The catalog has no such type of node, or not in this version.',
  'workflow.node-type': 'The code of a node type failed while it looked at a node.',
  'workflow.config': 'The configuration of a node does not fit the JSON Schema of its type.',
  'workflow.unknown-function': 'The program has no function of this name.',
  'workflow.unknown-port': 'An edge names a port that its node does not have, or names none where there are several.',
  'workflow.port-kind': 'An edge connects ports of kinds that do not fit.',
  'workflow.port-type': 'An edge carries a value of a type that its target does not take.',
  'workflow.missing-input': 'No edge leads to an input that a node needs.',
  'workflow.cycle': 'Edges lead in a circle. What repeats is a `loop`.',
  'workflow.parent': 'A node lies in one that is no container, or in itself.',
  'workflow.empty-container': 'A container has nothing to run.',
  'workflow.edge-crosses': 'An edge leads into a container or out of it, or between the parts of a `try`.',
  'workflow.unbounded-loop': 'A loop does not say how many iterations there are at most.',
  'workflow.expression': 'An expression cannot be read, reads what is not there, or has another type than is needed.',
  'workflow.duration': 'A span of time is longer than a thousand years.',
  'workflow.join': 'A join waits for more edges than there are, or has no edges to join.',
  'workflow.error-not-wired': 'The policy `route` sends failures to the port `error`, from which no edge leads.',
  'workflow.compensation':
    'A node that compensates another has edges, lies on another level, is a container, or compensates a second one.',
  'workflow.schedule':
    'A schedule has a cron text, a time zone or a bound that cannot be read, or an input that the workflow does not take.',
  'workflow.session':
    'A node uses a session, or a key of one, that the document does not declare; or what is declared cannot be.',
  'workflow.secret': 'A secret stands in the document, for everybody to read.',
  'workflow.more-faults': 'There are more faults than are told at once.',
} as const;

export type FaultCode = keyof typeof FAULTS;

export type Path = readonly (string | number)[];

/** At most so many are told. */
export const MOST_FAULTS = 200;

/** The faults of one document, in the order in which they are found. */
export class FaultList {
  readonly #faults: DocumentFault[] = [];
  readonly #seen = new Set<string>();
  #more = 0;

  /** There is no use in working out another one. */
  get full(): boolean {
    return this.#faults.length >= MOST_FAULTS;
  }

  get empty(): boolean {
    return this.#faults.length === 0;
  }

  add(code: FaultCode, path: Path, message: string, cure: string): void {
    this.addAt(code, pointerOf(path), message, cure);
  }

  addAt(code: string, pointer: string, message: string, cure: string): void {
    const key = `${code}\n${pointer}\n${message}`;
    if (this.#seen.has(key)) return;
    if (this.full) {
      this.#more++;
      return;
    }
    this.#seen.add(key);
    this.#faults.push({ code, pointer, message: clipped(message), cure: clipped(cure) });
  }

  all(): readonly DocumentFault[] {
    if (this.#more === 0) return [...this.#faults];
    const message = `there are ${this.#more} more faults`;
    return [...this.#faults, { code: 'workflow.more-faults', pointer: '', message, cure: 'Correct these first.' }];
  }
}

/** Texts of users may be long; what is told of them is not. */
function clipped(text: string): string {
  return text.length <= 1000 ? text : `${text.slice(0, 997)}...`;
}

/** A text of a user within a message. */
export function quoted(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
