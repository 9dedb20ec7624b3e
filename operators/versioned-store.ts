import { type Bytes, ByteWriter, EMPTY } from '../core/bytes.ts';
import { FlowError } from '../core/errors.ts';
import type { Millis } from '../core/ids.ts';
import type { Serde } from '../schemas/schemas.ts';
import type { OperatorContext } from './operators.ts';
import type { RecordAtHand } from './typed-rows.ts';
import { LATEST, REJECTED, VersionedRows } from './versioned-rows.ts';

/** A version of a row, and when it is valid: up to but not including `validTo`; null where it is the newest. */
export interface Version<V> {
  readonly value: V;
  readonly validFrom: Millis;
  readonly validTo: Millis | null;
}

/**
 * Rows by key with their earlier versions, for user operators. The store's time is the largest that was put into it;
 * versions that ceased to be valid before that by more than the history are forgotten.
 */
export interface VersionedStore<K, V> {
  /**
   * Puts a version, null to delete. Answers `latest`, or the time of the version that follows it; or `rejected`, and
   * counts a late record, where the time is older than the history.
   */
  put(key: K, value: V | null, validFrom: Millis): Millis | 'latest' | 'rejected';
  /** The newest version. */
  get(key: K): Version<V> | undefined;
  /** The version that is valid at a time. Of times older than the history only what is still the newest is known. */
  getAsOf(key: K, at: Millis): Version<V> | undefined;
  /** Deletes from a time on, up to the version that follows; answers the one that was valid at that time. */
  delete(key: K, at: Millis): Version<V> | undefined;
}

export function createVersionedStore<K, V>(
  context: OperatorContext,
  name: string,
  record: RecordAtHand,
): VersionedStore<K, V> {
  const rows = new VersionedRows(context, name);
  const serdes = context.storeSerdes(name);
  const keySerde = serdes.key as Serde<K>;
  const valueSerde = serdes.value as Serde<V>;
  const key = new ByteWriter(64);
  const value = new ByteWriter(256);

  function encode(wanted: K): Bytes {
    key.clear();
    keySerde.encode(wanted, key);
    return key.bytes;
  }

  function found(is: boolean): Version<V> | undefined {
    if (!is) return undefined;
    const { validFrom, validTo } = rows;
    return {
      value: valueSerde.read(rows.bytes, rows.start, rows.end),
      validFrom,
      validTo: validTo === Number.POSITIVE_INFINITY ? null : validTo,
    };
  }

  function getAsOf(wanted: K, at: Millis): Version<V> | undefined {
    return found(rows.findAsOf(encode(wanted), 0, key.at, at));
  }

  function put(wanted: K, row: V | null, at: Millis): Millis {
    if (!Number.isSafeInteger(at) || at < 0) {
      throw new FlowError(
        'record.failed',
        `store ${name} is given a version with time ${at}: give whole milliseconds from 0 on`,
      );
    }
    const bytes = encode(wanted);
    if (row === null || row === undefined) return rows.put(bytes, 0, key.at, EMPTY, -1, 0, at);
    value.clear();
    valueSerde.encode(row, value);
    return rows.put(bytes, 0, key.at, value.bytes, 0, value.at, at);
  }

  return {
    put(wanted, row, validFrom) {
      const answer = put(wanted, row, validFrom);
      if (answer === LATEST) return 'latest';
      if (answer !== REJECTED) return answer;
      record.late();
      return 'rejected';
    },
    get: (wanted) => found(rows.findLatest(encode(wanted), 0, key.at)),
    getAsOf,
    delete(wanted, at) {
      const before = rows.isForgotten(at) ? undefined : getAsOf(wanted, at);
      if (put(wanted, null, at) === REJECTED) record.late();
      return before;
    },
  };
}
