import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../../core/errors.ts';
import { avro } from '../avro.ts';
import type { AvroSchema } from '../avro-types.ts';
import { checkEdge } from './check-edge.ts';
import { registered } from './registered.ts';
import { COMPATIBILITY_LEVELS, type CompatibilityLevel, type SchemaRegistry, type SchemaText } from './registry.ts';
import type { RestAnswer, RestRequest } from './transport.ts';

/** A registry as the suite has it: a client that knows nothing yet, and a way to ask what the client does not. */
export interface OpenedForTest {
  /** A new client each time, without a cache. */
  client(): SchemaRegistry;
  rest(request: RestRequest): Promise<RestAnswer>;
  close(): Promise<void>;
}

type Fields = readonly object[];
const record = (fields: Fields, name = 'Order') => ({ type: 'record', name, fields }) as AvroSchema;
const text = (schema: unknown): SchemaText => ({ type: 'AVRO', text: JSON.stringify(schema), references: [] });
const schema = (fields: Fields, name?: string) => text(record(fields, name));

const A = { name: 'a', type: 'int' };
const WANTED = { name: 'b', type: 'string' };
const OPTIONAL = { name: 'b', type: 'string', default: '' };

/**
 * Versions of a subject, and what follows them under the levels that let it in; all others refuse it. The third version
 * tells the transitive levels from the others: it goes with the second and not with the first.
 */
const CHAINS: readonly { readonly versions: readonly Fields[]; readonly accepted: readonly CompatibilityLevel[] }[] = [
  { versions: [[A], [A, OPTIONAL]], accepted: COMPATIBILITY_LEVELS },
  { versions: [[A], [A, WANTED]], accepted: ['NONE', 'FORWARD', 'FORWARD_TRANSITIVE'] },
  { versions: [[A, WANTED], [A]], accepted: ['NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE'] },
  { versions: [[A], [{ name: 'a', type: 'long' }]], accepted: ['NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE'] },
  { versions: [[A], [{ name: 'a', type: 'string' }]], accepted: ['NONE'] },
  {
    versions: [[A], [A, OPTIONAL], [A, WANTED]],
    accepted: ['NONE', 'BACKWARD', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL'],
  },
  {
    versions: [[A, WANTED], [A, OPTIONAL], [A]],
    accepted: ['NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD', 'FULL'],
  },
];

/** Runs the contract of the client against a registry. Subjects carry a mark, since a registry may be shared. */
export function registryConformance(name: string, open: () => Promise<OpenedForTest | undefined>): void {
  const mark = `${name.replaceAll(/\W/g, '')}-${process.pid}`;
  let opened: OpenedForTest | undefined;
  const cases = casesOf(mark);
  test(`${name}: the contract of schema registries`, { timeout: 300_000 }, async (t) => {
    opened = await open();
    if (opened === undefined) return;
    try {
      for (const [title, run] of Object.entries(cases)) {
        const registry = opened;
        await t.test(title, () => run(registry));
      }
    } finally {
      await opened.close();
    }
  });
}

function casesOf(mark: string): { readonly [title: string]: (registry: OpenedForTest) => Promise<void> } {
  const path = (subject: string, rest = '') => `/subjects/${encodeURIComponent(subject)}${rest}`;
  const put = (registry: OpenedForTest, subject: string, compatibility: CompatibilityLevel) =>
    registry.rest({ method: 'PUT', path: `/config/${encodeURIComponent(subject)}`, body: { compatibility } });
  return {
    'a schema has one id in all subjects, and is found by it': async (registry) => {
      const client = registry.client();
      const [one, other] = [`${mark}-ids-value`, `${mark}-ids of /others`];
      const id = await client.register(one, schema([A], 'Ids'));
      assert.equal(await registry.client().register(other, schema([A], 'Ids')), id);
      assert.equal(await registry.client().register(one, schema([A], 'Ids')), id);
      const next = await client.register(one, schema([A, OPTIONAL], 'Ids'));
      assert.ok(next !== id);
      const found = await registry.client().schema(id);
      assert.deepEqual(JSON.parse(found!.text), record([A], 'Ids'));
      const versions = (await registry.client().versions(one))!;
      assert.deepEqual(
        versions.map(({ version, id }) => [version, id]),
        [
          [1, id],
          [2, next],
        ],
      );
      const version = await registry.client().lookUp(one, schema([A, OPTIONAL], 'Ids'));
      assert.deepEqual([version?.version, version?.id], [2, next]);
    },
    'what is not there is undefined': async (registry) => {
      const client = registry.client();
      const subject = `${mark}-absent`;
      assert.equal(await client.schema(1_999_999_999), undefined);
      assert.equal(await client.versions(subject), undefined);
      assert.equal(await client.lookUp(subject, schema([A], 'Absent')), undefined);
      await client.register(subject, schema([A], 'Absent'));
      assert.equal(await client.lookUp(subject, schema([WANTED], 'Absent')), undefined);
      const codeOf = async (path: string) => {
        const { status, body } = await registry.rest({ method: 'GET', path });
        return [status, (body as { error_code: number }).error_code];
      };
      assert.deepEqual(await codeOf(path(`${mark}-none`, '/versions')), [404, 40401]);
      assert.deepEqual(await codeOf(path(`${mark}-none`, '/versions/1')), [404, 40401]);
      assert.deepEqual(await codeOf(path(subject, '/versions/9')), [404, 40402]);
      assert.deepEqual(await codeOf('/schemas/ids/1999999999'), [404, 40403]);
    },
    'each level lets in what goes with the versions that it names': async (registry) => {
      const client = registry.client();
      for (const [number, { versions, accepted }] of CHAINS.entries()) {
        for (const level of COMPATIBILITY_LEVELS) {
          const subject = `${mark}-levels-${number}-${level}`;
          await put(registry, subject, 'NONE');
          const before = versions.slice(0, -1);
          for (const fields of before) await client.register(subject, schema(fields));
          await put(registry, subject, level);
          assert.equal(await client.level(subject), level);
          const answer = await client.register(subject, schema(versions.at(-1)!)).then(
            () => true,
            (thrown: unknown) => {
              assert.ok(isFlowError(thrown, 'registry.incompatible'), String(thrown));
              assert.match(thrown.message, new RegExp(subject));
              return false;
            },
          );
          assert.equal(answer, accepted.includes(level), `${level} and ${JSON.stringify(versions)}`);
        }
      }
    },
    'an edge that does not go with its subject is refused by topic, subject and field': async (registry) => {
      const topic = `${mark}-edges`;
      const client = registry.client();
      await put(registry, `${topic}-value`, 'BACKWARD');
      await client.register(`${topic}-value`, schema([A]));
      const { registered: format } = registered(avro(record([A, WANTED])));
      const written = { topic, side: 'value', written: true, read: false } as const;
      const refused = await checkEdge(client, format!, written);
      assert.equal(refused.faults.length, 1);
      assert.equal(refused.faults[0]!.severity, 'refuse');
      const { message } = refused.faults[0]!;
      for (const part of [`topic ${topic}`, `subject ${topic}-value`, 'Order.b', 'BACKWARD']) {
        assert.ok(message.includes(part), message);
      }
      const read = await checkEdge(client, format!, { ...written, written: false, read: true });
      assert.match(read.faults[0]!.message, /cannot read what version 1 wrote: Order\.b was not written/);
      const fits = registered(avro(record([A, OPTIONAL]))).registered!;
      assert.deepEqual((await checkEdge(client, fits, written)).faults, []);
    },
    'a soft deletion hides versions and keeps ids, a permanent one removes them': async (registry) => {
      const client = registry.client();
      const subject = `${mark}-deleted`;
      const id = await client.register(subject, schema([A], 'Gone'));
      await client.register(subject, schema([A, OPTIONAL], 'Gone'));
      const ask = (rest: string) => registry.rest({ method: 'DELETE', path: path(subject, rest) });
      assert.equal((await ask('/versions/1')).body, 1);
      assert.deepEqual(
        (await registry.client().versions(subject))?.map(({ version }) => version),
        [2],
      );
      assert.ok((await registry.client().schema(id)) !== undefined);
      assert.deepEqual((await ask('')).body, [2]);
      assert.equal(await registry.client().versions(subject), undefined);
      const permanent = await ask('?permanent=true');
      assert.equal(permanent.status, 200);
      const again = await registry.client().register(subject, schema([A, WANTED], 'Gone'));
      assert.ok(again > id, `${again} after ${id}`);
    },
    'schemas refer to versions of other subjects': async (registry) => {
      const client = registry.client();
      const money = { type: 'record', name: 'shop.Money', fields: [{ name: 'cents', type: 'long' }] };
      await client.register(`${mark}-money`, text(money));
      const reference = { name: 'shop.Money', subject: `${mark}-money`, version: 1 };
      const priced = { type: 'record', name: 'shop.Priced', fields: [{ name: 'price', type: 'shop.Money' }] };
      const id = await client.register(`${mark}-priced`, { ...text(priced), references: [reference] });
      const found = (await registry.client().schema(id))!;
      assert.deepEqual(found.references, [reference]);
      const type = await registry.client().parsed(found);
      assert.ok(type.kind === 'record' && type.fields[0]!.type.kind === 'record');
    },
    'what is no schema is refused': async (registry) => {
      const bad = text({ type: 'record', name: 'Bad', fields: [{ name: 'x', type: 'nonsense' }] });
      await assert.rejects(registry.client().register(`${mark}-bad`, bad), (thrown) =>
        isFlowError(thrown, 'schema.invalid'),
      );
    },
  };
}
