import { confluentLibrary } from './confluent.ts';

/** Compiles the client of the driver `confluent` before tests need it; says where it lies. */
const beside = await confluentLibrary();
if (beside === undefined) process.exitCode = 1;
else console.log(`the client of the driver confluent is compiled: ${beside}`);
