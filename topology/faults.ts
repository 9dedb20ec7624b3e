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
  /** Two nodes, stores, topics or branches of one name that are not the same. */
  | 'duplicate'
  /** A reference to a node, topic or store that is not there, or that stands behind its user. */
  | 'reference'
  /** A node with the wrong inputs. */
  | 'shape'
  /** A topic, store or sink whose serde nobody named. */
  | 'serde'
  /** A keyed operation on records whose key was changed. */
  | 'stale-key'
  /** Joined inputs that do not lie on partitions alike. */
  | 'partitioning'
  | 'window'
  | 'suppress'
  /** Records that would run in a circle through topics. */
  | 'cycle'
  | 'connector'
  /** Stages that are not what the nodes say. */
  | 'stages'
  | 'topic-missing'
  | 'topic-partitions'
  | 'topic-settings';
