import { type FlowError, isFlowError } from '../../core/errors.ts';
import { type LetterPage, outcomeOf, type RedriveOutcome } from '../../runtime/runtime.ts';
import type { LetterQuery, LetterView, RedrivenPage } from './letters.ts';

/** Where letters are found, and done again. */
interface ManyParts<Letter> {
  page(query: LetterQuery): Promise<LetterPage<Letter>>;
  find(id: string): Promise<Letter>;
  /** What became of each, in any order. */
  redrive(letters: readonly Letter[]): Promise<readonly RedriveOutcome[]>;
  viewOf(letter: Letter): LetterView;
}

/** See `redriveAll` of `Letters`. */
export async function redriveMany<Letter extends { readonly id: string }>(
  query: LetterQuery,
  ids: readonly string[] | undefined,
  parts: ManyParts<Letter>,
): Promise<RedrivenPage> {
  const outcomes = new Map<string, RedriveOutcome>();
  const letters: Letter[] = [];
  let next: string | null = null;
  if (ids === undefined) {
    const page = await parts.page({ ...query, redriven: false });
    letters.push(...page.rows);
    next = page.next;
  }
  for (const id of new Set(ids)) {
    const letter = await told(() => parts.find(id));
    if (isFlowError(letter)) outcomes.set(id, outcomeOf(id, letter));
    else letters.push(letter);
  }
  for (const each of await parts.redrive(letters)) outcomes.set(each.id, each);
  const kinds = new Map(letters.map((letter) => [letter.id, parts.viewOf(letter).kind]));
  const order = new Set(ids ?? letters.map(({ id }) => id));
  return { rows: [...order].map((id) => ({ ...outcomes.get(id)!, kind: kinds.get(id) ?? null })), next };
}

/** What it answers, or is refused with. */
export async function told<T>(act: () => Promise<T>): Promise<T | FlowError> {
  try {
    return await act();
  } catch (thrown) {
    if (isFlowError(thrown)) return thrown;
    throw thrown;
  }
}
