import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../core/errors.ts';
import { type CompileOptions, compileExpression, type ExprType, printType } from './expressions.ts';

const ORDER: ExprType = {
  fields: {
    total: 'number',
    name: 'string',
    paid: 'bool',
    tags: { list: 'string' },
    items: { list: { fields: { price: 'number', count: 'number' } } },
    customer: { fields: { tier: { nullable: 'string' }, age: 'number' }, optional: ['age'] },
    rates: { map: 'number' },
  },
};
const OPTIONS: CompileOptions = { scope: { order: ORDER, any: 'dyn' } };
const SCOPE = {
  order: {
    total: 120.5,
    name: 'Ann',
    paid: true,
    tags: ['new', 'gift', 'new'],
    items: [
      { price: 10, count: 2 },
      { price: 33.5, count: 3 },
    ],
    customer: { tier: null },
    rates: { eur: 1, czk: 25 },
  },
  any: { n: 7, s: 'x😀y', list: [1, 'a', null, { b: 1 }], deep: { a: { b: null } }, toString: 'own', 'a-b': 1 },
};

function compiled(source: string, options = OPTIONS) {
  const { expression, faults } = compileExpression(source, options);
  assert.ok(expression, `${source}: ${JSON.stringify(faults)}`);
  return expression;
}

const ANSWERS: readonly (readonly [string, unknown])[] = [
  ['1 + 2 * 3 - 4 / 8', 6.5],
  ['-7 % 4', -3],
  ['0x1F + 1u + 1e2 + .5', 132.5],
  ['(1 + 2) * 3', 9],
  ['2 - 1 - 1', 0],
  ['- -1', 1],
  ['!true || !!true', true],
  ['"a" + \'b\' + r"\\n" + """c"d""" + "\\x41\\u00e9\\U0001F600\\101\\n"', 'ab\\nc"dAé😀A\n'],
  ['// a comment\n1 // another', 1],
  ['[1, 2] + [3,]', [1, 2, 3]],
  ['{"a": 1, "b": {"c": [true, null]},}', { a: 1, b: { c: [true, null] } }],
  ['1 < 2 && "a" < "b" && 2 >= 2 && 1 != 2 && "a" <= "a" && 3 > 2', true],
  ['true ? 1 : false ? 2 : 3', 1],
  ['false ? 1 : false ? 2 : 3', 3],
  ['order.total > 100 && order.name == "Ann"', true],
  ['false && any.absent', false],
  ['true || any.absent', true],
  ['order.items.map(i, i.price * i.count).sum()', 120.5],
  ['order.items.exists(i, i.price > 30) && order.items.all(i, i.count > 1)', true],
  ['order.tags.exists_one(t, t == "gift") && !order.tags.exists_one(t, t == "new")', true],
  ['order.tags.filter(t, t != "new")', ['gift']],
  ['order.tags.map(t, t != "new", t.upperAscii())', ['GIFT']],
  ['order.tags.filter(t, order.tags.filter(u, u == t).size() > 1)', ['new', 'new']],
  ['order.rates.map(k, k + "=" + string(order.rates[k]))', ['eur=1', 'czk=25']],
  ['order.rates["czk"] + order.rates.eur', 26],
  ['order.rates.all(k, k in order.rates)', true],
  ['order.customer.tier == null', true],
  ['order.customer.tier.orValue("none")', 'none'],
  ['order.customer.?age', null],
  ['order.customer?.age == null', true],
  ['has(order.customer.age) || has(any.deep.no.where)', false],
  ['has(order.customer.tier)', true],
  ['any.deep.a.b.?c.?d', null],
  ['any.list[?9] == null && any?.["nope"] == null && any.list[?0] == 1', true],
  ['"gift" in order.tags && "eur" in order.rates && 1 in any.list && !("z" in any)', true],
  ['any.list[3] == {"b": 1} && any.list != [1]', true],
  ['any.list == [1, "a", null, {"b": 1}]', true],
  ['any.n == "7"', false],
  ['any.n + 1', 8],
  ['any.s.size() + size(any.list) + size(any)', 13],
  ['any.toString', 'own'],
  ['any.`a-b` + any["a-b"]', 2],
  ['any.s.substring(1, 2) + any.s.substring(2)', '😀y'],
  ['"a,b,,c".split(",")', ['a', 'b', '', 'c']],
  ['"a,b,c".split(",", 2)', ['a', 'b,c']],
  ['"😀b".split("")', ['😀', 'b']],
  ['["a", "b"].join("-") + ["c"].join()', 'a-bc'],
  ['"aXbX".replace("X", "-") + "aXbX".replace("X", "", 1)', 'a-b-abX'],
  ['" x ".trim() + "ÀbC".lowerAscii()', 'xÀbc'],
  ['"hello".startsWith("he") && "hello".endsWith("lo") && "hello".contains("ell")', true],
  ['"hello".indexOf("l") + "x".indexOf("y")', 1],
  ['"foo@bar.com".matches(r"^[^@]+@[^@]+$") && matches("abc", "b")', true],
  ['int("42") + int(3.9) + int(-3.9) + double("1e3")', 1042],
  ['string(1.5) + string(true) + string("x")', '1.5truex'],
  ['bool("true") && !bool("0")', true],
  ['abs(-2) + floor(1.7) + ceil(1.2) + round(2.5) + round(-2.5) + trunc(-1.5) + sign(-3)', 2 + 1 + 2 + 3 - 3 - 1 - 1],
  ['min(3, 1, 2) + max([4, 9]) + math.greatest(1, 2) + math.least(5, 6) + math.abs(-1)', 18],
  ['timestamp("2024-05-01T12:00:00.5+02:00") - timestamp("2024-05-01T10:00:00Z")', 500],
  ['timestamp("2024-05-01T12:00:00.999999999Z") - timestamp("2024-05-01T12:00:00Z")', 999],
  ['timestamp("2024-05-01T12:00:00.123999999Z") - timestamp("2024-05-01T12:00:00.04Z")', 83],
  ['duration("1h30m") + duration("-250ms") + duration("1.5s")', 5401250],
];

test('answers of the language, compiled and interpreted', () => {
  for (const [source, answer] of ANSWERS) {
    const expression = compiled(source);
    assert.deepEqual(expression.evaluate(SCOPE), answer, source);
    assert.deepEqual(expression.interpret(SCOPE), answer, source);
  }
});

const FAILURES: readonly (readonly [string, RegExp])[] = [
  ['any.absent + 1', /^any\.absent \(line 1, column 1 of the expression\) is absent: there is no absent\. Ask by has/],
  ['1 +\n  order.customer.age', /^order\.customer\.age \(line 2, column 3 of the expression\) is absent/],
  ['any.deep.a.b.c', /is read of what is null\. Write \.\?c/],
  ['any.toFixed', /is absent/],
  ['any.list.length', /is read of what is a list/],
  ['any.s.length', /is read of what is a string/],
  ['any.hasOwnProperty', /is absent/],
  ['any.list[4]', /there is no item 4/],
  ['any.list[-1]', /there is no item -1/],
  ['any.list[0.5]', /there is no item|by whole numbers/],
  ['any["__proto" + "__"]', /asks for __proto__, which may not be read/],
  ['any["construc" + "tor"]', /may not be read/],
  ['{"__proto" + "__": 1}', /may not be made/],
  ['any[0]', /Maps are read by strings/],
  ['any.n ? 1 : 2', /is a number where a bool is wanted/],
  ['any.s * 2', /is a string where a number is wanted/],
  ['any.n + any.s', /adds a string to a number/],
  ['any.n < any.s', /compares a number with a string/],
  ['order.customer.tier + "x"', /is null where a string is wanted\. Give another value by orValue/],
  ['1 / 0', /has no finite result/],
  ['0 / 0', /has no finite result/],
  ['1 % 0', /has no finite result/],
  ['1e308 * 10', /has no finite result/],
  ['"x".substring(2)', /asks for 2 to 1 of 1 characters/],
  ['int("1.5")', /cannot read the text "1\.5" as a whole number/],
  ['int(1e300)', /beyond ±2\^53/],
  ['double("")', /as a number/],
  ['timestamp("2024-02-30T00:00:00Z")', /as a time/],
  ['any.list.sum()', /is a list where|meets a string among numbers/],
  ['any.n.map(x, x)', /goes through what is a number/],
];

test('failures name the place and the cure, compiled and interpreted alike', () => {
  for (const [source, message] of FAILURES) {
    const expression = compiled(source);
    const thrown = [() => expression.evaluate(SCOPE), () => expression.interpret(SCOPE)].map((run) => {
      try {
        return `answered ${JSON.stringify(run())}`;
      } catch (error) {
        assert.ok(isFlowError(error, 'expression.failed'), `${source}: ${String(error)}`);
        return error.message;
      }
    });
    assert.match(thrown[0]!, message, source);
    assert.equal(thrown[0], thrown[1], source);
  }
});

const FAULTS: readonly (readonly [string, readonly string[]])[] = [
  ['', ['syntax@0']],
  ['1 +', ['syntax@3']],
  ['a b', ['syntax@2']],
  ['order.totl + valu', ['unknown-field@0', 'unknown-name@13']],
  ['order.name * 2 + order.paid', ['type@0', 'type@0']],
  ['order.paid == 1', ['type@0']],
  ['order.name < 1', ['type@0']],
  ['order.total.size() && nope("x")', ['type@0', 'type@0', 'unknown-function@22']],
  ['order.total ? 1 : 2', ['type@0']],
  ['"a".startsWith()', ['arguments@0']],
  ['order.tags.map(1, 2)', ['arguments@11']],
  ['has(order)', ['arguments@0']],
  ['"x".matches(order.name)', ['pattern@12']],
  [String.raw`"x".matches(r"(a)\1")`, ['pattern@12']],
  ['"x".matches("(?=a)")', ['pattern@12']],
  ['"x".matches("((a{100}){100}){100}")', ['pattern@12']],
  ['[1].all(a, [1].all(b, [1].all(c, true)))', ['too-deep@22']],
  ['9007199254740993', ['number@0']],
  ['any.__proto__', ['forbidden-name@4']],
  ['any.?constructor', ['forbidden-name@5']],
  ['prototype', ['forbidden-name@0']],
  ['{"__proto__": 1}', ['forbidden-name@1']],
  ['any.`constructor`', ['forbidden-name@4']],
  ['has(any.__proto__)', ['forbidden-name@8']],
  ['"\\uD800"', ['syntax@1']],
  ['"\\q"', ['syntax@1']],
  ['"open', ['syntax@0']],
  ['b"bytes"', ['syntax@0']],
  ['a = 1', ['syntax@2']],
  ['Order{a: 1}', ['syntax@0']],
  ['any.if + 1 + if', ['syntax@13']],
];

test('faults are told all at once, each with its place', () => {
  for (const [source, wanted] of FAULTS) {
    const { faults = [] } = compileExpression(source, OPTIONS);
    assert.deepEqual(
      faults.map(({ code, at }) => `${code.replace('expression.', '')}@${at.offset}`),
      wanted,
      source,
    );
    for (const { message, cure } of faults) assert.ok(message.length > 5 && cure.length > 5, source);
  }
});

test('cures guess what was meant', () => {
  const [first, second] = compileExpression('order.totl > 1 && ordr.paid', OPTIONS).faults!;
  assert.equal(`${first!.message}. ${first!.cure}`, 'there is no field totl. Did you mean total?');
  assert.equal(`${second!.message}. ${second!.cure}`, 'there is no variable ordr. Did you mean order?');
  const placed = compileExpression('true &&\n  order.totl > 1', OPTIONS).faults![0]!.at;
  assert.deepEqual(placed, { offset: 10, line: 2, column: 3 });
});

test('the result is held against what is wanted', () => {
  assert.deepEqual(
    compileExpression('order.total', { ...OPTIONS, expect: 'bool' }).faults!.map(({ code }) => code),
    ['expression.type'],
  );
  const { expression } = compileExpression<boolean>('any.n', { ...OPTIONS, expect: 'bool' });
  assert.equal(expression!.type, 'bool');
  assert.throws(() => expression!.evaluate(SCOPE), /is a number where a bool is wanted/);
  assert.equal(expression!.evaluate({ any: { n: true } }), true);
  const list = compiled('any.list', { ...OPTIONS, expect: { list: 'number' } });
  assert.throws(() => list.evaluate(SCOPE), /is a string where a number is wanted/);
});

test('declared types are made sure of where values are read', () => {
  const wrong = { order: { ...SCOPE.order, total: '120', tags: 'new', items: [1] }, any: 1 };
  for (const source of [
    'order.total == 1',
    'order.total + 1',
    'order.tags.size()',
    'order.items.all(i, i.price > 1)',
  ]) {
    const expression = compiled(source);
    assert.throws(() => expression.evaluate(wrong), /is a string where|is read of what is a number/, source);
    assert.throws(() => expression.interpret(wrong), /is a string where|is read of what is a number/, source);
  }
});

test('an expression says what it reads and what it answers', () => {
  const reads = (source: string) => compiled(source).reads;
  assert.deepEqual(reads('order.total > any.x.y && has(order.customer.age)'), [
    'any.x.y',
    'order.customer.age',
    'order.total',
  ]);
  assert.deepEqual(reads('order.items.map(i, i.price * any)'), ['any', 'order.items']);
  assert.deepEqual(reads('1'), []);
  const type = (source: string) => printType(compiled(source).type);
  assert.equal(type('order.items.map(i, i.price)'), 'list(number)');
  assert.equal(type('order.customer'), '{ tier: string or null, age?: number }');
  assert.equal(type('order.paid ? 1 : null'), 'number or null');
  assert.equal(type('[1, "a"]'), 'list(dyn)');
  assert.equal(type('order.rates'), 'map(number)');
});
