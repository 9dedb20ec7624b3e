import { STATIC_CASES } from './static.conformance.ts';

const NO_STATIC = 'The driver has no static members, and refuses an instance id.';

/** The cases of static members, for drivers that have none. */
export const STATIC_LEFT_OUT: Readonly<Record<string, string>> = Object.fromEntries(
  STATIC_CASES.map(({ name }) => [name, NO_STATIC]),
);
