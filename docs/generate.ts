import { writeFileSync } from 'node:fs';
import { metricReference } from '../cli/metric-reference.ts';
import { configurationReference, errorReference } from '../cli/reference.ts';
import { createLanguage, faultReference, nodeReference } from '../workflows/workflows.ts';

/** Prints the references that come from tables of the code. */
writeFileSync(new URL('configuration.md', import.meta.url), configurationReference());
writeFileSync(new URL('errors.md', import.meta.url), errorReference());
writeFileSync(new URL('metrics.md', import.meta.url), metricReference());
writeFileSync(new URL('workflows/nodes.md', import.meta.url), nodeReference(createLanguage().catalog.types));
writeFileSync(new URL('workflows/faults.md', import.meta.url), faultReference());
