/** Every place of the Kafka driver at which a crash is tried: what the steps of the commit do not reach. */
export const KAFKA_FAILPOINTS = [
  'kafka.producer.initialised',
  'kafka.member.revoking',
  'kafka.member.revoked',
  'kafka.member.assigned',
] as const;
