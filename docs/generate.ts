import { writeFileSync } from 'node:fs';
import { configurationReference, errorReference } from '../cli/reference.ts';

/** Prints the references that come from tables of the code. */
writeFileSync(new URL('configuration.md', import.meta.url), configurationReference());
writeFileSync(new URL('errors.md', import.meta.url), errorReference());
