import { test } from 'node:test';
import { workflow } from './builder.ts';
import { all, approval, call, choose, delay, expression, first, merge, port, step, task } from './builder-steps.ts';
import type { Failure, Output } from './builder-types.ts';

/** Checked by the compiler; what must not compile is marked. */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._proof: Equal<A, B> extends true ? [] : ['the types differ']): void {}

interface Order {
  readonly total: number;
}

function flowOf() {
  const flow = workflow('types', { version: '1.0.0', inputs: { order: port<Order>() } });
  const total = flow.node('total', expression<number>('= input.order.total'));
  const name = flow.node('name', expression<string>('= "a"'));
  return { flow, total, name };
}

test('handles carry what leaves at each port', () => {
  const { flow, total } = flowOf();
  same<typeof total.out, Output<number, 'total', true>>();
  same<typeof total.error, Output<Failure, 'total', false>>();
  // @ts-expect-error there is no such port
  total.nothing;
  const later = flow.node('later', delay({ for: '1s' }), { in: total.out });
  same<typeof later.out, Output<number, 'later', true>>();
  const size = flow.node('size', choose({ big: 'value > 1' }), { in: total.out });
  same<typeof size.big, Output<number, 'size', false>>();
  same<typeof size.else, Output<number, 'size', false>>();
  // @ts-expect-error no such case
  size.small;
  const asked = flow.node('asked', approval<{ note: string }>({ title: '?' }), { in: size.big });
  same<typeof asked.approved, Output<{ note: string }, 'asked', false>>();
  same<typeof flow.input, Output<{ readonly order: Order }, '', true>>();
});

test('an output can only be wired to an input that takes it', () => {
  const { flow, total, name } = flowOf();
  const double = task<number, number>('double');
  flow.node('a', double, { in: total.out });
  // @ts-expect-error text, where a number is taken
  flow.node('b', double, { in: name.out });
  // @ts-expect-error a number has to arrive
  flow.node('c', double);
  // @ts-expect-error a number has to arrive
  flow.node('d', double, {});
  // @ts-expect-error a failure is no number
  flow.node('e', double, { in: total.error });
  // @ts-expect-error one of both may be text
  flow.node('f', double, { in: first(total.out, name.out) });
  flow.node('g', task<number, number | string>('either'), { in: first(total.out, name.out) });
  flow.node('h', task<number, { readonly order: Order }>('order'), { in: flow.input });
  // @ts-expect-error the input is no number
  flow.node('i', double, { in: flow.input });
  flow.node('j', double, { in: name.out.map<number>('= size(value)' as never) });
  const two = step<{ left: number; right: string }, { sum: number }>('my/sum');
  const sum = flow.node('k', two, { left: total.out, right: name.out });
  same<typeof sum.sum, Output<number, 'k', true>>();
  // @ts-expect-error both are needed
  flow.node('l', two, { left: total.out });
  // @ts-expect-error there is no such input
  flow.node('m', two, { left: total.out, right: name.out, middle: name.out });
});

test('several outputs at one input: by node id, and missing where they may be skipped', () => {
  const { flow, total, name } = flowOf();
  const both = flow.node('both', merge(), { in: all(total.out, name.out) });
  flow.node('use', task<number, { readonly total: number; readonly name: string }>('use'), { in: both.out });
  const size = flow.node('size', choose({ big: 'value > 1' }), { in: total.out });
  const big = flow.node('big', call<string>('big'), { in: size.big });
  same<typeof big.out, Output<string, 'big', false>>();
  const some = all(total.out, big.out);
  flow.node('may', task<number, { readonly total: number; readonly big?: string }>('may'), { in: some });
  // @ts-expect-error big may be skipped
  flow.node('must', task<number, { readonly total: number; readonly big: string }>('must'), { in: some });
  const early = flow.node('first', merge(), { in: first(big.out, total.out) });
  same<typeof early.out, Output<string | number, 'first', true>>();
});

test('containers give what their bodies give', () => {
  const { flow } = flowOf();
  const list = flow.forEach('list', { items: 'input' }, (item) => item.node('one', expression<number>('= item')).out);
  same<typeof list.out, Output<readonly number[], 'list', true>>();
  const safe = flow.attempt('safe', {
    body: (inside) => inside.node('x', expression<number>('= 1')).out,
    catch: (inside) => inside.node('y', expression<string>('= error.code')).out,
  });
  same<typeof safe.out, Output<number | string, 'safe', true>>();
});
