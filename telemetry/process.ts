import type { Telemetry } from './telemetry.ts';

/** The figures of the process that Prometheus users expect, by their usual names. */
export function observeProcess(telemetry: Telemetry): void {
  const cpu = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  telemetry.observe('process_cpu_seconds_total', 'CPU time, user and system.', {}, cpu);
  telemetry.observe('process_resident_memory_bytes', 'Resident memory.', {}, () => process.memoryUsage.rss());
  telemetry.observe('nodejs_heap_used_bytes', 'Used JavaScript heap.', {}, () => process.memoryUsage().heapUsed);
  telemetry.observe(
    'nodejs_external_memory_bytes',
    'Memory of buffers outside the heap.',
    {},
    () => process.memoryUsage().external,
  );
}
