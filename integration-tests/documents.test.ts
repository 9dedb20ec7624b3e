import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { configurationReference, errorReference } from '../cli/reference.ts';
import { systemClock } from '../core/clock.ts';
import { ERRORS } from '../core/errors.ts';
import { seededRandom } from '../core/random.ts';
import { CONFLUENT_CAPABILITIES } from '../log/confluent/confluent.ts';
import { createFileLog } from '../log/file/file.ts';
import { KAFKA_CAPABILITIES } from '../log/kafka/kafka.ts';
import { KAFKAJS_CAPABILITIES } from '../log/kafkajs/kafkajs.ts';
import type { LogCapabilities } from '../log/log.ts';
import { createMemoryLog } from '../log/memory/memory.ts';
import { createLanguage, faultReference, nodeReference } from '../workflows/workflows.ts';
import { HOMES, OPEN_ROOMS, STOREYS } from './house/rules.ts';
import { CASES_HEADING, driverCases } from './support/driver-cases.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const CLUSTERS = [KAFKA_CAPABILITIES, KAFKAJS_CAPABILITIES, CONFLUENT_CAPABILITIES];

interface PackageJson {
  readonly dependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
  readonly peerDependenciesMeta: Record<string, { readonly optional?: boolean }>;
  readonly devDependencies: Record<string, string>;
  readonly license: string;
  readonly files: readonly string[];
}
const packageJson = JSON.parse(read('package.json')) as PackageJson;

/** Rows of the Markdown tables of a section. */
function rows(markdown: string, heading: string): string[][] {
  const section = markdown.split(/^## /m).find((part) => part.startsWith(heading));
  assert.ok(section !== undefined, `there is a section ${heading}`);
  const table = section.slice(section.search(/^--- \|/m));
  const lines = ['', ...table.split('\n').filter((line) => line.includes(' | '))];
  return lines.slice(2).map((line) => line.split(' | ').map((cell) => cell.trim()));
}

test('docs/dependencies.md lists every package with its home, reason and licence', () => {
  const markdown = read('docs/dependencies.md');
  const sections = {
    'In the product': packageJson.dependencies,
    'Where it can be had': packageJson.optionalDependencies,
    'For those who choose them': packageJson.peerDependencies,
    'In development': packageJson.devDependencies,
  };
  for (const name of Object.keys(packageJson.peerDependencies)) {
    assert.ok(packageJson.peerDependenciesMeta[name]?.optional, `${name} is optional`);
  }
  for (const [heading, packages] of Object.entries(sections)) {
    const listed = rows(markdown, heading);
    assert.deepEqual(listed.map(([name]) => name!.replaceAll('`', '')).sort(), Object.keys(packages).sort(), heading);
    for (const [name, home, reason, licence] of listed) {
      const bare = name!.replaceAll('`', '');
      // of those that are only for who chooses them not all are here
      if (packages !== packageJson.peerDependencies || existsSync(join(root, 'node_modules', bare))) {
        const installed = JSON.parse(read(`node_modules/${bare}/package.json`)) as { license: string };
        assert.equal(licence, installed.license, `licence of ${bare}`);
      }
      assert.ok(reason!.length > 10, `a reason for ${bare}`);
      const homes = HOMES[bare];
      if (homes !== undefined) assert.equal(home!.replaceAll('`', ''), homes.join(', '), `home of ${bare}`);
      else assert.match(home!, /^(command line|types)$/, `${bare} has a home in the rules`);
    }
  }
});

test('the lock file holds no addresses and no package with an install script on the default path', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { resolved?: string; hasInstallScript?: boolean; integrity?: string }>;
  };
  for (const [path, entry] of Object.entries(packages)) {
    assert.equal(entry.resolved, undefined, `${path} names an address`);
    assert.ok(!entry.hasInstallScript, `${path} has an install script`);
    if (path !== '') assert.ok(entry.integrity !== undefined, `${path} has a checksum`);
  }
});

test('the configuration reference and the error reference are as the code says', () => {
  assert.equal(read('docs/configuration.md'), configurationReference(), 'run npm run docs');
  assert.equal(read('docs/errors.md'), errorReference(), 'run npm run docs');
});

test('types of nodes and faults of documents are told as the code has them', () => {
  const { types } = createLanguage().catalog;
  assert.equal(read('docs/workflows/nodes.md'), nodeReference(types), 'run npm run docs');
  assert.equal(read('docs/workflows/faults.md'), faultReference(), 'run npm run docs');
});

test('ARCHITECTURE.md names every room, on its storey, and no other', () => {
  const named = rows(read('ARCHITECTURE.md'), 'The storeys').map(([storey, room]) => `${storey} ${room}`);
  const rooms = STOREYS.flatMap((names, storey) => names.map((name) => `${storey} \`${name}/\``));
  assert.deepEqual([...named].sort(), [...rooms].sort());
  const doors = STOREYS.flat().filter((room) => !OPEN_ROOMS.includes(room));
  const empty = doors.filter((room) => !statSync(join(root, room, `${room}.ts`)).isFile());
  assert.deepEqual(empty, []);
});

test('docs/drivers.md says what the drivers state', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nodeflow-drivers-'));
  const file = await createFileLog({ directory: folder, clock: systemClock });
  const memory = createMemoryLog({ clock: systemClock, random: seededRandom(1) });
  const text = (value: unknown) => (value === true ? 'yes' : value === false ? 'no' : String(value));
  const listed = rows(`## All\n${read('docs/drivers.md')}`, 'All').map(([name, ...cells]) => [
    name!.split('`')[1]!,
    ...cells,
  ]);
  const stated = Object.entries(file.capabilities)
    .filter(([name]) => name !== 'driver')
    .map(([name]) => name as keyof LogCapabilities)
    .map((name) => [name, ...[file.capabilities, memory.capabilities, ...CLUSTERS].map((all) => text(all[name]))]);
  await Promise.all([file.close(), memory.close()]);
  rmSync(folder, { recursive: true });
  assert.deepEqual(listed, stated);
});

test('docs/drivers.md lists every case of the suite by driver', () => {
  const [, section] = read('docs/drivers.md').split(`\n${CASES_HEADING}\n`);
  assert.equal(`${CASES_HEADING}\n${section}`, driverCases(), 'run npm run docs');
});

test('links in documents lead to files that are there', () => {
  const documents = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    ...['docs', 'docs/operators', 'docs/workflows'].flatMap((folder) =>
      readdirSync(join(root, folder)).map((f) => `${folder}/${f}`),
    ),
  ];
  for (const document of documents.filter((name) => name.endsWith('.md'))) {
    for (const [, target] of read(document).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      assert.ok(
        statSync(join(root, document, '..', target!), { throwIfNoEntry: false }),
        `${document} links to ${target}`,
      );
    }
  }
});

test('the licence is Apache-2.0, in full', () => {
  assert.equal(packageJson.license, 'Apache-2.0');
  const licence = read('LICENSE');
  assert.match(licence, /Apache License\s+Version 2\.0, January 2004/);
  assert.match(licence, /9\. Accepting Warranty or Additional Liability/);
});

test('documents that messages of the code name are there', () => {
  for (const [, { cure }] of Object.entries(ERRORS)) {
    for (const [path] of cure.matchAll(/docs\/[a-z-]+\.md/g))
      assert.ok(statSync(join(root, path), { throwIfNoEntry: false }), path);
  }
});
