import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A file beside the stores of a slot that says that a worker has written in the quarantine lane. Whoever takes the slot
 * next ends what may be open there; where there is no such file, it need not ask.
 */
export class QuarantineMark {
  readonly #folder: string;
  readonly #path: string;

  constructor(folder: string, worker: number) {
    this.#folder = folder;
    this.#path = join(folder, `quarantine-${worker}`);
  }

  isSet(): Promise<boolean> {
    return access(this.#path).then(
      () => true,
      () => false,
    );
  }

  async set(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeFile(this.#path, '');
  }

  async clear(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
