import type { Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import type { Log } from '../log/log.ts';
import { openRegistry } from '../registry/registry.ts';
import { createRegistryClient, httpTransport, type RegistryOptions, type SchemaRegistry } from '../schemas/schemas.ts';

/** Where a registry is: can be posted to another thread. */
export type RegistryAddress =
  /** On the log of the application itself. */
  { readonly kind: 'embedded' } | { readonly kind: 'http'; readonly options: RegistryOptions };

export interface OpenedRegistry {
  readonly client: SchemaRegistry;
  close(): Promise<void>;
}

/** Reaches a registry. Nothing is asked yet. */
export function openRegistryAt(
  address: RegistryAddress,
  { log, clock, random }: { readonly log: Log; readonly clock: Clock; readonly random: Random },
): OpenedRegistry {
  if (address.kind === 'embedded') {
    const host = openRegistry({ log, clock, random });
    const client = host.client();
    return {
      client,
      async close() {
        client.close();
        await host.close();
      },
    };
  }
  const { send, name, close } = httpTransport(address.options);
  const { patienceMs, absentMs } = address.options;
  const client = createRegistryClient({ name, send, clock, random, patienceMs, absentMs, close });
  return { client, close: async () => client.close() };
}
