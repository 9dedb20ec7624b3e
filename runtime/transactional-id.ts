/**
 * What a producer of a worker is for: the work of a run; that of the control plane of workflows, which is a run of its
 * own; or a task that has failed again and again, alone.
 */
export type Lane = 'control' | 'data' | 'quarantine';

export interface ProducerPlace {
  readonly application: string;
  /** The id of the process's slot, which is kept in its folder. */
  readonly slot: string;
  /** The worker's number in its process. */
  readonly worker: number;
  readonly lane: Lane;
}

/** Under what id a worker writes; whoever opens a producer of it takes over from the worker. */
export function transactionalId({ application, slot, worker, lane }: ProducerPlace): string {
  return `${application}-${slot}-${worker}-${lane}`;
}
