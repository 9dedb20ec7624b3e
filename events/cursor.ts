import { FlowError } from '../core/errors.ts';
import type { FeedCursor } from './events.ts';

/** A cursor as text, for event ids and addresses: positions by partition, with dots between. */
export function cursorText(cursor: FeedCursor): string {
  return cursor.join('.');
}

/** Throws `query.invalid`. */
export function readCursor(text: string): FeedCursor {
  if (!/^\d{1,16}(\.\d{1,16})*$/.test(text)) {
    throw new FlowError(
      'query.invalid',
      `${JSON.stringify(text)} is no place in the feed; give the id of an event of it`,
    );
  }
  return text.split('.').map(Number);
}
