import { createStateBackend } from './state.ts';
import { storeConformance } from './store.conformance.ts';

storeConformance({ name: 'memory', onDisk: false, create: () => createStateBackend({}) }, 8);
