import { writeFileSync } from 'node:fs';
import { FORMATS, fileOf, keptOf } from './formats.ts';

/** Writes the file of each format that has none of its version yet. What is there stays as it is. */
for (const format of FORMATS) {
  const { name, version } = format;
  if (keptOf(format, version) !== undefined) continue;
  const value = keptOf(format, version - 1)?.value ?? (await format.sample());
  const written = await format.write(value);
  writeFileSync(fileOf(format, version), `${JSON.stringify({ value, written }, null, 2)}\n`);
  console.log(`${name} ${version}`);
}
