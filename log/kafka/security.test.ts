import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFlowError } from '../../core/errors.ts';
import { createKafkaLog } from './kafka.ts';
import { securityConformance } from './security.conformance.ts';
import { checkSecurity } from './security.ts';

test('credentials and certificates that are not whole are refused before anything is asked', () => {
  const refused = (security: object) => {
    assert.throws(
      () => checkSecurity({ tls: undefined, sasl: undefined, ...security }),
      (thrown) => isFlowError(thrown, 'config.invalid'),
    );
  };
  refused({ tls: { cert: 'x' } });
  refused({ sasl: { mechanism: 'PLAIN', username: 'x' } });
  refused({ sasl: { mechanism: 'OAUTHBEARER' } });
});

await securityConformance(createKafkaLog);
