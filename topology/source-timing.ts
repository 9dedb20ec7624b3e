import { millis } from '../core/duration.ts';
import type { StreamOptions } from './handles.ts';
import type { SourceTiming } from './plan.ts';

/** What a source says of the times of its records; `undefined` where it says nothing. */
export function sourceTiming(topic: string, options: StreamOptions<unknown, unknown>): SourceTiming | undefined {
  const { maxAhead, onAbsurdTime, watermark, align } = options;
  if (maxAhead === undefined && onAbsurdTime === undefined && watermark === undefined && align === undefined) {
    return undefined;
  }
  const of = `of stream ${topic}`;
  return {
    maxAheadMs: maxAhead === undefined ? null : millis(maxAhead, `maxAhead ${of}`),
    onAbsurdTime: onAbsurdTime ?? 'skip',
    watermark:
      watermark === undefined
        ? null
        : {
            maxOutOfOrdernessMs: millis(watermark.maxOutOfOrderness, `watermark.maxOutOfOrderness ${of}`),
            idleMs: watermark.idle === undefined ? null : millis(watermark.idle, `watermark.idle ${of}`),
          },
    align:
      align === undefined ? null : { group: align.group, maxDriftMs: millis(align.maxDrift, `align.maxDrift ${of}`) },
  };
}
