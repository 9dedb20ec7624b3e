import { ByteWriter } from '../core/bytes.ts';
import { compileExpression, type ExprType, typeOfAvroSchema } from '../expressions/expressions.ts';
import { avro } from '../schemas/schemas.ts';
import { median } from './spread.ts';

/**
 * How fast expressions are: compiled, walked over as a tree, and as the lambda that says the same, over views of Avro
 * records and over plain objects. `npm run bench:expressions`.
 */
const order = avro({
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'customer', type: 'string' },
    { name: 'country', type: 'string' },
    { name: 'age', type: 'int' },
    { name: 'amount', type: 'double' },
    { name: 'count', type: 'int' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
});

interface Order {
  readonly customer: string;
  readonly country: string;
  readonly age: number;
  readonly amount: number;
  readonly count: number;
  readonly tags: readonly string[];
}

interface Case {
  readonly name: string;
  readonly source: string;
  readonly lambda: (value: Order) => unknown;
}

const CASES: readonly Case[] = [
  { name: 'one field', source: 'value.amount > 50', lambda: (value) => value.amount > 50 },
  {
    name: 'three fields',
    source: 'value.age >= 18 && value.amount * value.count > 100 && value.country == "CZ"',
    lambda: (value) => value.age >= 18 && value.amount * value.count > 100 && value.country === 'CZ',
  },
  {
    name: 'a text and a list',
    source: 'value.customer.startsWith("customer-1") && value.tags.exists(t, t == "gift")',
    lambda: (value) => value.customer.startsWith('customer-1') && value.tags.some((tag) => tag === 'gift'),
  },
];

const RECORDS = 1024;
const ROUNDS = 5;
const ROUND_MS = 300;

const values: readonly Order[] = Array.from({ length: RECORDS }, (_, i) => ({
  customer: `customer-${i}`,
  country: ['CZ', 'AT', 'DE'][i % 3]!,
  age: 10 + (i % 60),
  amount: (i * 7) % 100,
  count: i % 9,
  tags: ['new', i % 4 === 0 ? 'gift' : 'plain'],
}));

function encoded(): { readonly bytes: Buffer; readonly ends: readonly number[] } {
  const out = new ByteWriter();
  const ends = values.map((value) => {
    order.encode({ ...value, tags: [...value.tags] }, out);
    return out.at;
  });
  return { bytes: Buffer.from(out.bytes.subarray(0, out.at)), ends };
}

/** Nanoseconds of processor time for one evaluation, so that whatever else runs does not count; the median of some rounds. */
function cost(round: () => void): number {
  round();
  const costs = Array.from({ length: ROUNDS }, () => {
    let done = 0;
    const start = process.cpuUsage();
    let took = 0;
    while (took < ROUND_MS) {
      for (let i = 0; i < 20; i++) round();
      done += 20 * RECORDS;
      const { user, system } = process.cpuUsage(start);
      took = (user + system) / 1000;
    }
    return (took * 1e6) / done;
  });
  return median(costs);
}

/** What was found, so that nothing is left out as useless. */
let found = 0;

function overPlain(fn: (value: unknown) => unknown): () => void {
  return () => {
    for (const value of values) if (fn(value) === true) found++;
  };
}

function overViews(fn: (value: unknown) => unknown): () => void {
  const { bytes, ends } = encoded();
  const view = order.view();
  return () => {
    let start = 0;
    for (const end of ends) {
      if (fn(view(bytes, start, end)) === true) found++;
      start = end;
    }
  };
}

const scope: { readonly [name: string]: ExprType } = { value: typeOfAvroSchema(order.schema) };

function evaluators(source: string, types: typeof scope) {
  const { expression, faults } = compileExpression(source, { scope: types });
  if (expression === undefined) throw new Error(faults.map(({ message }) => message).join());
  const variables: { value: unknown } = { value: null };
  const over = (evaluate: (scope: typeof variables) => unknown) => (value: unknown) => {
    variables.value = value;
    return evaluate(variables);
  };
  return {
    compiled: over((all) => expression.evaluate(all)),
    interpreted: over((all) => expression.interpret(all)),
  };
}

console.log('nanoseconds an evaluation | lambda | compiled | compiled, untyped | interpreted');
for (const [place, over] of [
  ['plain objects', overPlain],
  ['views of Avro', overViews],
] as const) {
  for (const { name, source, lambda } of CASES) {
    const typed = evaluators(source, scope);
    const costs = [
      cost(over(lambda as (value: unknown) => unknown)),
      cost(over(typed.compiled)),
      cost(over(evaluators(source, { value: 'dyn' }).compiled)),
      cost(over(typed.interpreted)),
    ];
    console.log([`${name}, ${place}`, ...costs.map((one) => one.toFixed(1))].join(' | '));
  }
}
if (found < 0) console.log(found);
