/** Lets time pass, as `until` does that, until the work is done; answers what came of it. */
export async function during<T>(work: Promise<T>, until: (isDone: () => boolean) => Promise<void>): Promise<T> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  ended.catch(() => undefined);
  await until(() => done);
  return ended;
}
