/** `npm run vectors -- FILE`: runs a file of vectors through the public API; see `format.md`. */
import { report } from './report.ts';
import { readVectors, type VectorFile } from './vector.ts';

const [path, ...more] = process.argv.slice(2);
if (path === undefined || more.length > 0) {
  process.stderr.write('usage: npm run vectors -- FILE\n');
  process.exitCode = 2;
} else {
  const file = read(path);
  if (file === undefined) process.exitCode = 2;
  else {
    const { lines, ok } = await report(file);
    process.stdout.write(`${lines.join('\n')}\n`);
    process.exitCode = ok ? 0 : 1;
  }
}

function read(from: string): VectorFile | undefined {
  try {
    return readVectors(from);
  } catch (thrown) {
    process.stderr.write(`${from} holds no vectors: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return undefined;
  }
}
