import type { Serde } from '../schemas/schemas.ts';
import type { CodeRef, Plan, PlanStore } from './plan.ts';

/** What `build()` answers: the plan, and the code that its references name. Both are frozen. */
export interface Program {
  readonly plan: Plan;
  readonly code: Code;
}

/** Functions and serdes beside a plan. Asking for one that is not there is a bug of the asker. */
export interface Code {
  /** The function (or connector source) behind `<node id>/<role>`. */
  fn(ref: CodeRef): unknown;
  /** Serdes of equal name are equal; whichever came first is answered. */
  serde(name: string): Serde<unknown>;
  /** How the values of a store lie in its rows: by its serde, unless whoever runs the plan keeps more with them. */
  stored(store: PlanStore): Serde<unknown>;
}
