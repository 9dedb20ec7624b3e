import { systemClock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import { registryConformance } from '../schemas/registry/registry.conformance.ts';
import { createRegistryClient, httpTransport } from '../schemas/schemas.ts';
import { testApicurio } from './support/apicurio.ts';

/** The client against a registry of another make. */
registryConformance('Apicurio', async () => {
  const apicurio = await testApicurio();
  if (apicurio === undefined) return undefined;
  const transport = httpTransport({ url: apicurio.url });
  const { send, name } = transport;
  return {
    client: () => createRegistryClient({ send, name, clock: systemClock, random: seededRandom(1) }),
    rest: (request) => send(request, new AbortController().signal),
    async close() {
      transport.close();
      await apicurio.close();
    },
  };
});
