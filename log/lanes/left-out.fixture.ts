const LANE_KEEPS =
  'What lies in a lane is neither compacted nor deleted for one topic of it: the lane drops what is older than its retention.';

/** Cases of the suite that a log of lanes cannot pass, each with the reason. */
export const LANES_LEFT_OUT: Readonly<Record<string, string>> = {
  'admin: positions are found by time, also among records that are out of order': LANE_KEEPS,
  'admin: deleted records are gone, the start has moved, reading below it is refused': LANE_KEEPS,
  'admin: records at or above the stable position are not deleted': LANE_KEEPS,
  'admin: compaction keeps the last record of each key at its position, tombstones for a while': LANE_KEEPS,
  'admin: compaction stops at the stable position and drops aborted records': LANE_KEEPS,
  'admin: retention deletes old batches from the front, by the timestamps of records': LANE_KEEPS,
};
