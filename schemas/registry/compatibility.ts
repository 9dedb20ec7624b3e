import type { AvroType } from '../avro/model.ts';
import { type Unreadable, unreadable } from '../avro/resolution.ts';
import type { CompatibilityLevel } from './registry.ts';

export interface LevelFault extends Unreadable {
  /** The version that the new schema does not go with. */
  readonly version: number;
  /** `backward`: the new schema cannot read what that version wrote; `forward`: that version cannot read the new one. */
  readonly direction: 'backward' | 'forward';
}

/** Why a schema may not follow these versions, the newest last, under a level; empty where it may. */
export function levelFaults(
  level: CompatibilityLevel,
  next: AvroType,
  versions: readonly { readonly version: number; readonly type: AvroType }[],
): readonly LevelFault[] {
  if (level === 'NONE') return [];
  const backward = level.startsWith('BACKWARD') || level.startsWith('FULL');
  const forward = level.startsWith('FORWARD') || level.startsWith('FULL');
  const against = level.endsWith('_TRANSITIVE') ? versions.toReversed() : versions.slice(-1);
  return against.flatMap(({ version, type }) => [
    ...(backward ? unreadable(type, next).map((fault) => ({ ...fault, version, direction: 'backward' as const })) : []),
    ...(forward ? unreadable(next, type).map((fault) => ({ ...fault, version, direction: 'forward' as const })) : []),
  ]);
}

/** The fault in a sentence: which way it goes, the field, and why. */
export function levelFaultText({ direction, version, message }: LevelFault): string {
  const [writer, reader] =
    direction === 'backward' ? [`version ${version}`, 'this schema'] : ['this schema', `version ${version}`];
  return `what ${writer} wrote, ${reader} cannot read: ${message}`;
}
