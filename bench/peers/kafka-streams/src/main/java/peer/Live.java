package peer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * brokers, in, out, rate, seconds, warm (seconds). Open loop: a record carries the time at which it was due, whether
 * or not it could be sent then. The latency of a result is the time at which a committed reader has it, less its
 * timestamp, which is that of the last record it was made from.
 */
final class Live {
  private static final int TICK_MS = 5;
  private static final int LONGEST_MS = 60_000;
  private static final int QUIET_MS = 3000;

  static void main(Map<String, String> options) throws Exception {
    long rate = Long.parseLong(options.get("rate"));
    long warmMs = Long.parseLong(options.get("warm")) * 1000;
    long lengthMs = Long.parseLong(options.get("seconds")) * 1000;
    long[] histogram = new long[LONGEST_MS + 1];
    AtomicBoolean stopped = new AtomicBoolean();
    long begin = System.currentTimeMillis() + 1000;
    AtomicLong lastSeen = new AtomicLong(begin + warmMs + lengthMs + 2 * QUIET_MS);
    Thread reader = new Thread(() -> read(options, begin + warmMs, histogram, stopped, lastSeen));
    reader.start();
    long sent = produce(options, rate, begin, begin + warmMs + lengthMs);
    // a side that has fallen behind is waited for: its late results are what is to be measured
    long patience = System.currentTimeMillis() + LONGEST_MS;
    while (System.currentTimeMillis() < Math.min(patience, lastSeen.get() + QUIET_MS)) Thread.sleep(100);
    stopped.set(true);
    reader.join();
    long seen = 0;
    for (long each : histogram) seen += each;
    if (seen == 0) throw new IllegalStateException("nothing came out of " + options.get("out"));
    Main.say(
        "{\"sent\":%d,\"seen\":%d,\"p50\":%d,\"p99\":%d,\"p999\":%d}",
        sent, seen, percentile(histogram, seen, 0.5), percentile(histogram, seen, 0.99),
        percentile(histogram, seen, 0.999));
  }

  private static long produce(Map<String, String> options, long rate, long begin, long end) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", options.get("brokers"));
    properties.put("linger.ms", 2);
    properties.put("batch.size", 65_536);
    properties.put("buffer.memory", 128L << 20);
    Bids bids = new Bids();
    long sent = 0;
    try (var producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (long due = begin; due < end; due += TICK_MS) {
        long wait = due - System.currentTimeMillis();
        if (wait > 0) Thread.sleep(wait);
        for (long last = rate * (due + TICK_MS - begin) / 1000; sent < last; sent++) {
          bids.make(sent, due);
          producer.send(new ProducerRecord<>(options.get("in"), null, due, bids.key, bids.value));
        }
      }
    }
    return sent;
  }

  private static void read(
      Map<String, String> options, long from, long[] histogram, AtomicBoolean stopped, AtomicLong lastSeen) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", options.get("brokers"));
    properties.put("isolation.level", "read_committed");
    properties.put("max.poll.records", 50_000);
    properties.put("max.partition.fetch.bytes", 8 << 20);
    try (var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (var info : consumer.partitionsFor(options.get("out"))) {
        partitions.add(new TopicPartition(info.topic(), info.partition()));
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (!stopped.get()) {
        var records = consumer.poll(Duration.ofMillis(100));
        long now = System.currentTimeMillis();
        if (!records.isEmpty()) lastSeen.set(now);
        for (var record : records) {
          if (record.timestamp() < from) continue;
          histogram[(int) Math.min(LONGEST_MS, Math.max(0, now - record.timestamp()))]++;
        }
      }
    }
  }

  private static int percentile(long[] histogram, long seen, double share) {
    long left = (long) Math.ceil(seen * share);
    for (int ms = 0; ms < histogram.length; ms++) {
      left -= histogram[ms];
      if (left <= 0) return ms;
    }
    return LONGEST_MS;
  }
}
