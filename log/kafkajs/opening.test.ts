import { openingConformance } from '../kafka/opening.conformance.ts';
import { createKafkaJsLog } from './kafkajs.ts';

await openingConformance(createKafkaJsLog);
