package peer;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** brokers, topic, records, base: event time moves on by 1 ms each 100 records. */
final class Load {
  static final int RECORDS_PER_MS = 100;

  static void main(Map<String, String> options) throws Exception {
    String topic = options.get("topic");
    long records = Long.parseLong(options.get("records"));
    long base = Long.parseLong(options.get("base"));
    Properties properties = new Properties();
    properties.put("bootstrap.servers", options.get("brokers"));
    properties.put("acks", "all");
    properties.put("compression.type", options.getOrDefault("compression", "none"));
    properties.put("batch.size", 65_536);
    properties.put("linger.ms", 50);
    properties.put("buffer.memory", 128L << 20);
    AtomicReference<Exception> failure = new AtomicReference<>();
    Bids bids = new Bids();
    long passDigest = 0;
    long filtered = 0;
    long filterDigest = 0;
    long bytes = 0;
    Map<ByteBuffer, long[]> counts = new HashMap<>();
    try (var producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (long n = 0; n < records; n++) {
        long timestamp = base + n / RECORDS_PER_MS;
        bids.make(n, timestamp);
        producer.send(
            new ProducerRecord<>(topic, null, timestamp, bids.key, bids.value),
            (metadata, thrown) -> {
              if (thrown != null) failure.set(thrown);
            });
        long digest = bids.digest(bids.key, bids.value, timestamp);
        passDigest += digest;
        if (bids.price < Bids.PRICE_LIMIT) {
          filtered++;
          filterDigest += digest;
        }
        bytes += bids.value.length;
        byte[] windowed = new byte[bids.key.length + 8];
        ByteBuffer key = ByteBuffer.wrap(windowed);
        key.put(bids.key).putLong(timestamp - timestamp % Bids.WINDOW_MS);
        counts.computeIfAbsent(key.rewind(), absent -> new long[1])[0]++;
      }
    }
    if (failure.get() != null) throw failure.get();
    long countDigest = 0;
    for (var each : counts.entrySet()) countDigest += bids.digest(each.getKey().array(), each.getValue()[0]);
    Main.say(
        "{\"pass\":{\"records\":%d,\"digest\":\"%x\"},\"filter\":{\"records\":%d,\"digest\":\"%x\"},"
            + "\"count\":{\"records\":%d,\"digest\":\"%x\"},\"valueBytes\":%.1f}",
        records, passDigest, filtered, filterDigest, counts.size(), countDigest, (double) bytes / records);
  }
}
