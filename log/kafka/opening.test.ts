import { createKafkaLog } from './kafka.ts';
import { openingConformance } from './opening.conformance.ts';

await openingConformance(createKafkaLog);
