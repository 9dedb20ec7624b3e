/** Milliseconds since the Unix epoch, or a span of them. Always a number; fractions never occur. */
export type Millis = number;

/** A place in a partition: the number of the next record to read. Below 2^53, so a plain number. */
export type Position = number;

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic/partition`: the printable form, used as a map key and in messages. */
export function partitionName(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

declare const brand: unique symbol;

/** A stage of a plan run on one partition number: `<stage>_<partition>`. */
export type TaskId = string & { readonly [brand]: 'task' };

export function taskId(stage: string, partition: number): TaskId {
  return `${stage}_${partition}` as TaskId;
}

/** JSON as it is stored: what a plan, a topic setting or a journal row may hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
