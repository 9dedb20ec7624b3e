import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const SECTIONS = ['Windows', 'Joins', 'Aggregates', 'Partitions', 'Watermarks'];
/** What is promised of workflows, by the names that tests have for it. */
const ROWS = [
  ...['S1.1.a', 'S1.1.b', 'S1.1.c', 'S1.1.d'],
  ...['S1.2.a', 'S1.2.b', 'S1.2.c', 'S1.2.d', 'S1.2.e', 'S1.2.f', 'S1.3.a', 'S1.3.b', 'S1.3.c'],
  ...['S2.1.a', 'S2.1.b', 'S2.1.b1', 'S2.1.b2', 'S2.1.b3', 'S2.1.b4', 'S2.1.b5'],
  ...['S2.2.a', 'S2.2.b', 'S2.2.c', 'S2.2.d', 'S5.1.a', 'S5.1.b', 'S5.1.c', 'S5.1.d', 'S5.2.a', 'S5.2.c', 'S5.2.d'],
  ...['S9.1.a', 'S9.1.b', 'S9.1.c', 'S9.1.d', 'S9.3.a', ...Array.from({ length: 12 }, (_, i) => `${i + 1}`)],
];

/** The tests that a document names in its tables. */
function named(document: string): readonly { readonly row: string; readonly file: string; readonly title: string }[] {
  return readFileSync(join(root, document), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const cells = line.split(' | ');
      const [file, title] = cells.slice(-2);
      if (cells.length < 3 || file === undefined || title === undefined || !file.endsWith('.ts')) return [];
      return [{ row: cells[0]!, file, title }];
    });
}

for (const document of ['docs/properties.md', 'docs/workflows/proof.md']) {
  test(`every test that ${document} names is there`, () => {
    const rows = named(document);
    assert.ok(rows.length > 30, `${rows.length} rows`);
    for (const { file, title } of rows) {
      assert.ok(existsSync(join(root, file)), `${document} names ${file}, which is not there`);
      const source = readFileSync(join(root, file), 'utf8');
      assert.ok(source.includes(title), `${document} names a test of ${file} that is not there: ${title}`);
    }
  });
}

test('the sections are there, and every row that is promised of workflows', () => {
  const text = readFileSync(join(root, 'docs/properties.md'), 'utf8');
  for (const section of SECTIONS) assert.ok(text.includes(`\n## ${section}\n`), `there is a section ${section}`);
  const shown = new Set(named('docs/workflows/proof.md').map(({ row }) => row));
  assert.deepEqual(
    ROWS.filter((row) => !shown.has(row)),
    [],
  );
});
