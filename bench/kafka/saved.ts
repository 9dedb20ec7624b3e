import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Result } from './report.ts';
import type { Choice } from './sweep.ts';

interface SweepLine {
  readonly row: 'sweep';
  readonly of: string;
  readonly choice: Choice;
}

/** What a series has found so far, a line of JSON each, so that one that was cut short can go on. */
export class Saved {
  readonly #path: string | undefined;
  readonly #lines: (Result | SweepLine)[];

  /** Without a path nothing is kept. */
  constructor(path: string | undefined) {
    this.#path = path;
    const text = path !== undefined && existsSync(path) ? readFileSync(path, 'utf8') : '';
    this.#lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Result | SweepLine);
    if (path !== undefined) mkdirSync(dirname(path), { recursive: true });
  }

  /** What was found earlier of a row, and what stands beside it; nothing unless under all of these guarantees. */
  of(row: string, guarantees: readonly string[]): readonly Result[] {
    const results = this.#lines.filter((line) => line.row !== 'sweep');
    const found = results.filter((line) => ('of' in line ? line.of === row : line.row === row));
    const isThere = (guarantee: string) => found.some((line) => 'guarantee' in line && line.guarantee === guarantee);
    return guarantees.every(isThere) ? found : [];
  }

  choice(row: string): Choice | undefined {
    return this.#lines.find((line): line is SweepLine => line.row === 'sweep' && line.of === row)?.choice;
  }

  add(line: Result | SweepLine): void {
    this.#lines.push(line);
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}
