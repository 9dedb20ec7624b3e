import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const SECTIONS = ['Windows', 'Joins', 'Aggregates', 'Partitions', 'Watermarks'];

test('every test that docs/properties.md names is there', () => {
  const text = readFileSync(join(root, 'docs/properties.md'), 'utf8');
  for (const section of SECTIONS) assert.ok(text.includes(`\n## ${section}\n`), `there is a section ${section}`);
  const rows = text.split('\n').flatMap((line) => {
    const [, file, title] = line.split(' | ');
    return file?.endsWith('.test.ts') && title !== undefined ? [{ file, title }] : [];
  });
  assert.ok(rows.length > 30, `${rows.length} rows`);
  for (const { file, title } of rows) {
    assert.ok(existsSync(join(root, file)), `docs/properties.md names ${file}, which is not there`);
    const source = readFileSync(join(root, file), 'utf8');
    assert.ok(source.includes(title), `docs/properties.md names a test of ${file} that is not there: ${title}`);
  }
});
