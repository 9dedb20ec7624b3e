import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { ServedWorkflows } from '../../index.ts';
import { dataFile } from './topology.ts';

/** The job of `topology.ts` as a document, without a line of code: `npm run demo`. */
const document: unknown = JSON.parse(readFileSync(new URL('workflow.json', import.meta.url), 'utf8'));

const input = JSON.stringify({
  flights: relative('', dataFile('flights-3m.parquet')),
  airports: relative('', dataFile('airports.csv')),
});

export const workflows: ServedWorkflows = {
  documents: [document],
  hints: [
    '',
    'Three million flights, in another terminal:',
    '  npm run nodeflow -- workflow describe examples/flights/workflow.json',
    `  npm run nodeflow -- execution start flights --key once --wait --input '${input}'`,
    '  npm run nodeflow -- execution explain ID airport-hours   # how many records have gone through',
    'and, when this has been stopped, what it wrote:',
    '  npm run nodeflow -- consume airport-hours --data .nodeflow/demo --topology examples/flights/topology.ts --limit 5',
  ],
};
