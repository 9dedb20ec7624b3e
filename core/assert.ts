/** A promise of our own code is broken: a bug, not a user's mistake. */
export function assert(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Error(`broken promise: ${message()}`);
}

export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
