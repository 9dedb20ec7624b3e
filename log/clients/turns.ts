/** Work of one name is done in the order it was given, one after another; that of different names side by side. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  next<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const turn = before.then(work);
    const settled = turn.catch(() => undefined);
    this.#last.set(name, settled);
    void settled.then(() => {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    });
    return turn;
  }
}
