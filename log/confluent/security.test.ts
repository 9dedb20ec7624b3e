import { confluentLibrary } from '../../integration-tests/support/confluent.ts';
import { securityConformance } from '../kafka/security.conformance.ts';
import { createConfluentLog } from './confluent.ts';
import { CONFLUENT_SECURITY_LEFT_OUT } from './left-out.fixture.ts';

const libraryFrom = await confluentLibrary();
if (libraryFrom !== undefined) {
  await securityConformance((options) => createConfluentLog({ ...options, libraryFrom }), {
    leftOut: CONFLUENT_SECURITY_LEFT_OUT,
  });
}
