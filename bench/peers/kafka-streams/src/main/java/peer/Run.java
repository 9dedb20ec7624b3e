package peer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * brokers, application, row, in, out, state, records, warm, store (rocksdb or memory); what begins with "set." is a
 * property of Kafka Streams. With records=0 it runs until standard input ends.
 */
final class Run {
  private static final Duration RETENTION = Duration.ofSeconds(60);

  static void main(Map<String, String> options) throws Exception {
    StreamsBuilder builder = new StreamsBuilder();
    build(builder, options);
    long records = Long.parseLong(options.get("records"));
    long warm = Long.parseLong(options.get("warm"));
    KafkaStreams streams = Streams.open(builder, options);
    streams.start();
    while (streams.state() != KafkaStreams.State.RUNNING) Thread.sleep(20);
    List<Metric> processed = metrics(streams, "process-total");
    List<Metric> committed = metrics(streams, "commit-total");
    if (records > 0) {
      while (total(processed) < warm) Thread.sleep(20);
      Main.say("{\"at\":\"mark\",\"records\":%d}", total(processed));
      while (total(processed) < records) Thread.sleep(20);
      long commits = total(committed);
      for (int i = 0; i < 25 && total(committed) == commits; i++) Thread.sleep(20);
      Main.say("{\"at\":\"end\",\"records\":%d,\"commits\":%d}", total(processed), total(committed));
    } else {
      Main.say("{\"at\":\"mark\",\"records\":0}");
    }
    while (System.in.read() >= 0) Thread.sleep(1);
    streams.close(Duration.ofSeconds(60));
    System.exit(0);
  }

  private static void build(StreamsBuilder builder, Map<String, String> options) {
    String in = options.get("in");
    String out = options.get("out");
    switch (options.get("row")) {
      case "pass", "forward" -> builder
          .stream(in, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
          .to(out, Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));
      case "filter" -> {
        Schema schema = new Schema.Parser().parse(Bids.SCHEMA);
        Serde<GenericRecord> avro = Avro.serde(schema);
        int price = schema.getField("price").pos();
        builder
            .stream(in, Consumed.with(Serdes.ByteArray(), avro))
            .filter((key, bid) -> (Long) bid.get(price) < Bids.PRICE_LIMIT)
            .to(out, Produced.with(Serdes.ByteArray(), avro));
      }
      case "count" -> builder
          .stream(in, Consumed.with(Serdes.String(), Serdes.ByteArray()))
          .groupByKey()
          .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMillis(Bids.WINDOW_MS)))
          .count(store(options.get("store")))
          .toStream()
          .to(out, Produced.with(new WindowedSerdes.TimeWindowedSerde<>(Serdes.String(), Bids.WINDOW_MS), Serdes.Long()));
      default -> throw new IllegalArgumentException("there is no row " + options.get("row"));
    }
  }

  private static Materialized<String, Long, WindowStore<Bytes, byte[]>> store(String kind) {
    Duration size = Duration.ofMillis(Bids.WINDOW_MS);
    Materialized<String, Long, WindowStore<Bytes, byte[]>> store =
        kind.equals("memory")
            ? Materialized.as(Stores.inMemoryWindowStore("counts", RETENTION, size, false))
            : Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("counts").withRetention(RETENTION);
    return store.withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()).withCachingEnabled();
  }

  /** Looked up once: the whole map is costly. */
  private static List<Metric> metrics(KafkaStreams streams, String name) {
    List<Metric> found = new ArrayList<>();
    for (Metric metric : streams.metrics().values()) {
      var known = metric.metricName();
      if (known.name().equals(name) && known.group().equals("stream-thread-metrics")) found.add(metric);
    }
    return found;
  }

  private static long total(List<? extends Metric> metrics) {
    double sum = 0;
    for (Metric metric : metrics) sum += ((Number) metric.metricValue()).doubleValue();
    return (long) sum;
  }
}
