import { defineJob } from './topology.ts';

/** The environment variable that names the run. */
export const RUN = 'VERIFY_RUN';

/** The job of this process, for it and its worker threads. */
export const { topology } = defineJob(process.env[RUN] ?? 'verify');
