/**
 * What the members of an application tell one another through their group: each tells what it is and which state it
 * holds, and is told, beside its tasks, of which tasks it is to hold a standby. JSON with a version; a member that
 * speaks another one is turned away in words (`one-plan.ts`).
 */
export interface MemberState {
  /** The hash of its plan. */
  readonly plan: string;
  /** Its instance id, where it has one: what people know it by. */
  readonly instance: string | undefined;
  /** Where it runs: what may be lost together. */
  readonly rack: string | undefined;
  /** It keeps stores on disk, and so can hold standbys. */
  readonly disk: boolean;
  /** The state that it has, by task. */
  readonly stores: ReadonlyMap<string, HeldStore>;
}

/** The changelog positions of a task's tables, added up: how far a store has come, and where the changelogs end. */
export interface HeldStore {
  readonly at: number;
  /** As far as the member knows. 0: it has not looked. */
  readonly end: number;
  /** The task runs there, or its changelogs are followed; else the store lies on disk and falls behind. */
  readonly live: boolean;
}

/** What comes with a member's tasks. */
export interface Orders {
  /** The hash of the plan that they are of. */
  readonly plan: string;
  /** Whose standbys it is to hold, for as long as it is told so. */
  readonly standbys: readonly string[];
  /** Those of which it is to have more: when their state has caught up, the member asks for a new assignment. */
  readonly warmups: readonly string[];
  /** Which process has each task, by its instance id or the id of the member. */
  readonly places: ReadonlyMap<string, string>;
}

const FORMAT = 1;

export function encodeState({ plan, instance, rack, disk, stores }: MemberState): string {
  const told = [...stores].map(([task, { at, end, live }]) => [task, at, end, live ? 1 : 0]);
  return JSON.stringify({ format: FORMAT, plan, instance, rack, disk, stores: told });
}

/** `undefined` where it is not of this version. */
export function decodeState(metadata: string): MemberState | undefined {
  const told = parse(metadata) as
    | { plan: string; instance?: string; rack?: string; disk: boolean; stores: [string, number, number, number][] }
    | undefined;
  if (told === undefined) return undefined;
  const { plan, instance, rack, disk, stores } = told;
  return {
    plan,
    instance,
    rack,
    disk,
    stores: new Map(stores.map(([task, at, end, live]) => [task, { at, end, live: live === 1 }])),
  };
}

export function encodeOrders({ plan, standbys, warmups, places }: Orders): string {
  return JSON.stringify({ format: FORMAT, plan, standbys, warmups, places: [...places] });
}

/** Where there is nothing of this version, there is no plan, and nothing to hold. */
export function decodeOrders(metadata: string): Orders {
  const told = (parse(metadata) ?? {}) as Partial<Omit<Orders, 'places'>> & { places?: [string, string][] };
  const { plan = '', standbys = [], warmups = [], places = [] } = told;
  return { plan, standbys, warmups, places: new Map(places) };
}

function parse(text: string): unknown {
  try {
    const told = JSON.parse(text) as { readonly format?: unknown } | null;
    return told?.format === FORMAT ? told : undefined;
  } catch {
    return undefined;
  }
}
