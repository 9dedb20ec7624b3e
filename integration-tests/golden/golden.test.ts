import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMATS, keptOf } from './formats.ts';

for (const format of FORMATS) {
  const { name, version } = format;

  test(`hard-places 27: what each version of ${name} has left is read`, async () => {
    for (let each = 1; each <= version; each++) {
      const kept = keptOf(format, each);
      assert.ok(kept !== undefined, `${name} is of version ${version}: keep what it writes, by npm run golden`);
      assert.deepEqual(await format.read(kept.written), kept.value, `${name} ${each}`);
    }
  });

  test(`hard-places 27: ${name} is written as its version says`, async () => {
    const { value, written } = keptOf(format, version)!;
    const why = `${name} has another form: where what is there is read all the same, and older code reads it, write the file anew; else raise the version, read both, and keep both by npm run golden`;
    assert.deepEqual(await format.write(value), written, why);
  });
}
