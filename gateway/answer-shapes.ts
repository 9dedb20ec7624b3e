import { object } from './request-schemas.ts';

/** What JSON Schemas of answers are made of. */
export const words = { type: 'string' } as const;
export const whole = { type: 'integer' } as const;
export const yes = { type: 'boolean' } as const;
export const orNull = { type: ['string', 'null'] } as const;
export const wholeOrNull = { type: ['integer', 'null'] } as const;
export const list = (items: object) => ({ type: 'array', items }) as const;
export const mapOf = (values: object) => ({ type: 'object', additionalProperties: values }) as const;

/** The schema of a view has every field of its type and no other; all are there, but for those that may be left out. */
export function shape<View>(
  properties: { readonly [Name in keyof View]-?: object },
  optional: readonly (keyof View & string)[] = [],
) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name as keyof View & string));
  return object(properties, required as (keyof View & string)[]);
}

export function rowsOf(row: object) {
  return shape<{ rows: unknown }>({ rows: list(row) });
}

export function pageOf(row: object) {
  return shape<{ rows: unknown; next: unknown }>({ rows: list(row), next: orNull });
}
