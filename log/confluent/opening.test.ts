import { confluentLibrary } from '../../integration-tests/support/confluent.ts';
import { openingConformance } from '../kafka/opening.conformance.ts';
import { createConfluentLog } from './confluent.ts';

const libraryFrom = await confluentLibrary();
if (libraryFrom !== undefined) await openingConformance((options) => createConfluentLog({ ...options, libraryFrom }));
