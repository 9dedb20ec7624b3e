import type { Row } from './rows.ts';

const SLOW_MS = 20_000;
/** Enough for a thread to be at work. */
const AFTER_RECORDS = 500;

/** What the code of a user does to the process or the thread that it runs in. */
export const CODE_ROWS: readonly Row[] = [
  {
    id: '7',
    title: 'one record takes 20 s, longer than the session: another process goes on, and nothing begun is committed',
    worlds: ['kafka'],
    repeats: 3,
    needs: ['faults', 'rebuilds', 'joins'],
    async run(trial, repeats) {
      const other = await trial.start({ slot: 1 });
      await trial.works(other);
      for (let i = 0; i < repeats; i++) {
        const slow = await trial.start({ slot: 0, block: { afterRecords: AFTER_RECORDS, forMs: SLOW_MS } });
        await trial.struck(slow);
        await trial.recovered();
        if (slow.figures.rebuilds > 0) trial.problems.push('nobody went on while the record took its time');
        await trial.within(
          slow.until(({ figures }) => figures.rebuilds > 0),
          'the slow process to notice that it had lost its tasks',
        );
        await trial.recovered();
        await trial.stop(slow);
      }
    },
  },
  {
    id: '9',
    title: 'a worker thread ended by code of the job: another takes its place in the same process',
    worlds: ['file', 'kafka'],
    short: 1,
    repeats: 5,
    async run(trial, repeats) {
      await trial.begin();
      for (let i = 0; i < repeats; i++) {
        const block = { afterRecords: AFTER_RECORDS, forMs: 'leaves' } as const;
        const app = await trial.start({ settings: { workers: 2 }, block });
        await trial.struck(app);
        await trial.recovered();
        await trial.works(app);
        if (app.end !== undefined) trial.problems.push('the process ended with its thread');
        if (!/another thread takes its place/.test(app.errors)) trial.problems.push('no thread was replaced');
        await trial.stop(app);
      }
    },
  },
];
