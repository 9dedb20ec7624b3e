const THEIR_AFFAIR = 'When brokers compact and delete is their affair: neither can be asked for at once.';

/** Cases of the suite that the driver cannot pass, each with the reason, as docs/drivers.md gives them. */
export const KAFKA_LEFT_OUT: Readonly<Record<string, string>> = {
  'admin: compaction keeps the last record of each key at its position, tombstones for a while': THEIR_AFFAIR,
  'admin: compaction stops at the stable position and drops aborted records': THEIR_AFFAIR,
  'admin: retention deletes old batches from the front, by the timestamps of records': THEIR_AFFAIR,
};
