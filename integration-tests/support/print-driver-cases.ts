import { readFileSync, writeFileSync } from 'node:fs';
import { CASES_HEADING, driverCases } from './driver-cases.ts';

/** Prints the table of cases into docs/drivers.md, behind what stands there in prose. */
const file = new URL('../../docs/drivers.md', import.meta.url);
const [prose] = readFileSync(file, 'utf8').split(`${CASES_HEADING}\n`);
writeFileSync(file, prose + driverCases());
