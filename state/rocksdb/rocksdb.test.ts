import { createStateBackend } from '../state.ts';
import { storeConformance } from '../store.conformance.ts';

storeConformance({ name: 'rocksdb', onDisk: true, create: () => createStateBackend({}) }, 12);
