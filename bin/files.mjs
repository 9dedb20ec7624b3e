import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of the files under a folder that a test accepts, without installed, built and hidden ones. */
export function filesUnder(root, accepts) {
  const found = [];
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules' || entry.name === 'dist') continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (accepts(path)) found.push(path);
    }
  };
  visit(root);
  return found.sort();
}
