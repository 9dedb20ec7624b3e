import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlowError, isFlowError } from '../core/errors.ts';
import { lockFolder } from '../core/folder-lock.ts';
import { uniqueId } from '../core/random.ts';

/**
 * The place of one process of an application on this machine: a folder for its stores, locked while it runs, and an
 * id that is kept in the folder and told nobody else. A process takes the first free slot, so that one that is started
 * again finds its stores, and initialises the transactional ids of its predecessor, which ends what that left open. A
 * process with an instance id has the slot of that name.
 */
export interface Slot {
  readonly id: string;
  /** The folder of its stores; `undefined` where nothing is kept on disk. */
  readonly directory: string | undefined;
  release(): Promise<void>;
}

const FORMAT = 1;
const STORES = 'stores';

/** What Kafka takes as an instance id. */
const INSTANCE_ID = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;

/**
 * Takes a slot below `<directory>/<application>`. Without a directory: one that nobody takes over. Fails with
 * `config.invalid` on an instance id that cannot be one, and with `log.locked` where its slot is taken.
 */
export async function takeSlot(
  directory: string | undefined,
  application: string,
  instanceId: string | undefined,
): Promise<Slot> {
  if (instanceId !== undefined && !INSTANCE_ID.test(instanceId)) {
    throw new FlowError(
      'config.invalid',
      `the instance id ${JSON.stringify(instanceId)} (run.instanceId) cannot be one: use letters, digits, dots, ` +
        'underscores and dashes, at most 249 of them',
    );
  }
  if (directory === undefined) return { id: uniqueId(), directory: undefined, release: async () => undefined };
  if (instanceId !== undefined) {
    const folder = join(directory, application, `instance-${instanceId}`);
    return slotIn(folder, await lockFolder(folder, `the slot of instance ${instanceId} of application ${application}`));
  }
  for (let number = 0; ; number++) {
    const folder = join(directory, application, String(number));
    try {
      return await slotIn(folder, await lockFolder(folder, `slot ${number} of application ${application}`));
    } catch (thrown) {
      if (!isFlowError(thrown, 'log.locked')) throw thrown;
    }
  }
}

async function slotIn(folder: string, release: () => Promise<void>): Promise<Slot> {
  try {
    return { id: await slotId(folder), directory: join(folder, STORES), release };
  } catch (thrown) {
    await release();
    throw thrown;
  }
}

async function slotId(folder: string): Promise<string> {
  const path = join(folder, 'slot.json');
  const known = await readFile(path, 'utf8').then(parsedId, () => undefined);
  if (known !== undefined) return known;
  const id = uniqueId();
  await mkdir(folder, { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify({ format: FORMAT, id }));
  await rename(`${path}.new`, path);
  return id;
}

/** Empties the slots of an application on this machine, whoever holds them. */
export async function forgetStores(directory: string, application: string): Promise<void> {
  const slots = await readdir(join(directory, application)).catch(() => []);
  for (const slot of slots) await rm(join(directory, application, slot, STORES), { recursive: true, force: true });
}

/** Removes the stores of tasks that the plan does not have: should one come back, its changelogs may be others by then. */
export async function forgetOtherTasks(directory: string, tasks: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (/_\d+$/.test(name) && !tasks.has(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** What cannot be read counts as lost: a new id costs readers the timeout of an open transaction, nothing more. */
function parsedId(text: string): string | undefined {
  try {
    const { id } = JSON.parse(text) as { readonly id?: unknown };
    return typeof id === 'string' && /^[a-z0-9]+$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
