import type { Step } from '../../core/step.ts';
import type { RangeReads } from '../scan.ts';
import type { HotRows } from './rows.ts';

/** What both kinds of table and their scans are made of. */
export interface TableParts {
  readonly rows: HotRows;
  readonly step: Step;
  readonly ranges: RangeReads;
}
