/** What is wrong with a plan. The message names the thing and the cure. */
export interface PlanFault {
  readonly code: PlanFaultCode;
  /** The node where it shows, or `null` where it is no single one's. */
  readonly node: string | null;
  readonly message: string;
}

export type PlanFaultCode =
  /** A name that is empty, too long, reserved, or holds other characters than letters, digits, `.`, `_`, `-`. */
  | 'name'
  /** Two nodes, stores or topics of one name that are not the same. */
  | 'duplicate'
  /** A reference to a node, topic or store that is not there, or to a node that stands behind its user. */
  | 'reference'
  /** A node with inputs or settings that its kind cannot have. */
  | 'shape'
  /** A topic or store of which nobody said the format. */
  | 'serde'
  /** A keyed operation on records whose key was changed. */
  | 'stale-key'
  /** Joined inputs that do not lie on partitions alike. */
  | 'partitioning'
  /** A window, or the retention of its store, that cannot work. */
  | 'window'
  /** A join that waits longer than the history of its table reaches, or on a table without one. */
  | 'history'
  /** Calls that cannot be made: none at a time, or in no time. */
  | 'calls'
  /** Final results asked of something that has none. */
  | 'suppress'
  /** Records that would run in a circle through topics. */
  | 'cycle'
  /** A connector mixed with other inputs, or with state. */
  | 'connector'
  /** An expression that is wrong, or stands where none may. */
  | 'expression'
  /** Stages that do not follow from the nodes. */
  | 'stages'
  /** At deploy: a topic is not there. */
  | 'topic-missing'
  /** At deploy: a topic has another partition count. */
  | 'topic-partitions'
  /** At deploy: a topic has settings under which records are lost. */
  | 'topic-settings';

/** A fault, as the rules write it. */
export function fault(code: PlanFaultCode, node: string | null, message: string): PlanFault {
  return { code, node, message };
}
