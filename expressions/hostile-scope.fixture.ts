/** A scope with all that could be of use to an attempt. */
export function hostileScope(canary: () => void): Record<string, unknown> {
  class Instance {
    x = 1;
    get secret() {
      canary();
      return 1;
    }
    method() {
      canary();
    }
  }
  const deep = () => {
    let value: unknown = 1;
    for (let i = 0; i < 5000; i++) value = i % 2 === 0 ? [value] : { value };
    return value;
  };
  const cycle = () => {
    const list: unknown[] = [];
    list.push(list);
    return list;
  };
  const huge = () => Array.from({ length: 20_000 }, (_, i) => i);
  const wide = () => Object.fromEntries(huge().map((i) => [`k${i}`, i]));
  const rows = Array.from({ length: 1000 }, (_, id) => ({ id, text: 'x'.repeat(100) }));
  return {
    any: {
      ...{ x: 1, s: 'xyz', list: [1, 2, 3], proto: '__proto__', f: canary, date: new Date(0), nan: Number.NaN },
      ...{ instance: new Instance(), buffer: Buffer.from('bytes'), inf: Number.POSITIVE_INFINITY, symbol: Symbol('x') },
      ...{ own: JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"x": 1}, "x": 1}'), big: 1n },
      ...{ 'a-b': 1, 'a/b.c d': 2, as: 'a'.repeat(28) + '!', digits: '9'.repeat(400) },
      ...{ long: 'a'.repeat(60_000), long2: `${'a'.repeat(59_999)}a`, half: `b${'a'.repeat(30_000)}` },
      ...{ huge: huge(), huge2: huge(), wide: wide(), wide2: wide(), deep: deep(), deep2: deep() },
      ...{ cycle: cycle(), cycle2: cycle(), pages: [{ rows }, { rows }] },
      proxy: new Proxy({ x: 1 }, { get: (target, name) => (name === 'x' ? target.x : canary()) }),
    },
  };
}
