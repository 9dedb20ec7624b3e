import type { SessionUseEvent } from '../../events/events.ts';
import type { Rows, StepHead } from './lifecycle.ts';
import { SESSION_ROW } from './row.ts';

/** What becomes of the rows of an execution by what happens to its session. */
export function useSession(rows: Rows, record: StepHead, event: SessionUseEvent): void {
  const header = rows.header()!;
  switch (event.type) {
    case 'session-asked': {
      const { name, id, keys } = event;
      rows.putHeader({
        ...header,
        session: { name, id, isHeld: false, holder: '', keys, written: [], since: record.at },
      });
      return;
    }
    case 'session-held': {
      const { name, id, holder, keys, values } = event;
      for (const key of Object.keys(values)) rows.putOutput(SESSION_ROW, key, values[key]!);
      rows.putHeader({ ...header, session: { name, id, isHeld: true, holder, keys, written: [], since: record.at } });
      return;
    }
    case 'session-written': {
      const { session } = header;
      rows.putOutput(SESSION_ROW, event.key, event.value);
      if (session === null || session.written.includes(event.key)) return;
      rows.putHeader({ ...header, session: { ...session, written: [...session.written, event.key] } });
    }
  }
}
