/**
 * Makes objects whose fields are own, enumerable accessors.
 *
 * Each object gets a constructor of its own, hence a hidden class of its own: the runtime keeps accessors in
 * the hidden class, and would turn the second object of a shared one into a slow dictionary.
 */
export function ownShape(): object {
  function Flyweight() {}
  Flyweight.prototype = Object.prototype;
  return new (Flyweight as unknown as new () => object)();
}

/** A flyweight with a getter a field, in the order given. Assigning to a field throws. */
export function readonlyView<T extends object>(fields: { readonly [Name in keyof T]: () => T[Name] }): T {
  const view = ownShape();
  for (const name of Object.keys(fields) as (keyof T & string)[]) {
    Object.defineProperty(view, name, { enumerable: true, configurable: false, get: fields[name] });
  }
  return Object.preventExtensions(view) as T;
}
