package peer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/** The queries of bench/nexmark, as a user of Kafka Streams writes them. Keys are int64; values Avro, as there. */
final class NexmarkQueries {
  private static final Duration WINDOW = Duration.ofSeconds(10);
  private static final Duration ADVANCE = Duration.ofSeconds(2);
  private static final Duration GRACE = Duration.ofHours(1);
  private static final Set<String> STATES = Set.of("OR", "ID", "CA");
  private static final Serde<Long> ID = Serdes.Long();

  private final StreamsBuilder builder;
  private final Map<String, String> options;
  private final Map<String, Schema> made = new ConcurrentHashMap<>();

  private NexmarkQueries(StreamsBuilder builder, Map<String, String> options) {
    this.builder = builder;
    this.options = options;
  }

  static void build(StreamsBuilder builder, Map<String, String> options) {
    new NexmarkQueries(builder, options).build();
  }

  private void build() {
    switch (options.get("query")) {
      case "q0" -> bids().to(out(), Produced.with(ID, serde("bid")));
      case "q2" -> bids()
          .filter((id, bid) -> number(bid, "auction") % 123 == 0)
          .mapValues(bid -> record("out", number(bid, "auction"), number(bid, "price")))
          .to(out(), Produced.with(ID, serde("out")));
      case "q3" -> localItems();
      case "q5" -> hotItems();
      case "q7" -> highestBid();
      case "q8" -> newSellers();
      default -> throw new IllegalArgumentException("there is no query " + options.get("query"));
    }
  }

  private void localItems() {
    KTable<Long, GenericRecord> sellers =
        builder
            .table("persons", Consumed.with(ID, serde("person")), table("persons", "person"))
            .filter((id, person) -> STATES.contains(person.get("state").toString()));
    builder
        .table("auctions", Consumed.with(ID, serde("auction")), table("auctions", "auction"))
        .filter((id, auction) -> number(auction, "category") == 10)
        .join(
            sellers,
            auction -> number(auction, "seller"),
            (auction, person) ->
                record("out", person.get("name"), person.get("city"), person.get("state"), auction.get("id")),
            table("items", "out"))
        .toStream()
        .to(out(), Produced.with(ID, serde("out")));
  }

  private void hotItems() {
    bids()
        .groupByKey(Grouped.with(ID, serde("bid")))
        .windowedBy(TimeWindows.ofSizeWithNoGrace(WINDOW).advanceBy(ADVANCE))
        .count(Materialized.<Long, Long, WindowStore<Bytes, byte[]>>as("bids").withKeySerde(ID).withValueSerde(ID))
        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
        .toStream()
        .map((key, count) -> KeyValue.pair(key.window().start(), record("count", key.key(), count)))
        .groupByKey(Grouped.<Long, GenericRecord>as("by-window").withKeySerde(ID).withValueSerde(serde("count")))
        .aggregate(() -> record("out", 0L, List.of()), (start, count, hot) -> hotter(hot, count), table("hot", "out"))
        .toStream()
        .to(out(), Produced.with(ID, serde("out")));
  }

  private GenericRecord hotter(GenericRecord hot, GenericRecord count) {
    long bids = number(count, "bids");
    long most = number(hot, "bids");
    if (bids < most) return hot;
    List<Object> auctions = bids == most ? new ArrayList<>((List<?>) hot.get("auctions")) : new ArrayList<>();
    auctions.add(count.get("auction"));
    return record("out", bids, auctions);
  }

  private void highestBid() {
    bids()
        .groupByKey(Grouped.with(ID, serde("bid")))
        .windowedBy(TimeWindows.ofSizeWithNoGrace(WINDOW))
        .reduce(
            NexmarkQueries::higher,
            Materialized.<Long, GenericRecord, WindowStore<Bytes, byte[]>>as("highest-of-auction")
                .withKeySerde(ID)
                .withValueSerde(serde("bid")))
        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
        .toStream()
        .groupBy(
            (key, bid) -> key.window().start(),
            Grouped.<Long, GenericRecord>as("by-window").withKeySerde(ID).withValueSerde(serde("bid")))
        .reduce(NexmarkQueries::higher, table("highest", "bid"))
        .toStream()
        .to(out(), Produced.with(ID, serde("bid")));
  }

  private static GenericRecord higher(GenericRecord a, GenericRecord b) {
    int by = Long.compare(number(b, "price"), number(a, "price"));
    for (String field : List.of("auction", "time", "bidder")) {
      if (by == 0) by = Long.compare(number(a, field), number(b, field));
    }
    return by <= 0 ? a : b;
  }

  private void newSellers() {
    KStream<Long, GenericRecord> sellers =
        builder
            .stream("auctions", Consumed.with(ID, serde("auction")))
            .selectKey((id, auction) -> number(auction, "seller"))
            .repartition(
                Repartitioned.<Long, GenericRecord>as("by-seller").withKeySerde(ID).withValueSerde(serde("auction")));
    builder
        .stream("persons", Consumed.with(ID, serde("person")))
        .join(
            sellers,
            (person, auction) -> {
              long start = startOf(number(person, "time"));
              return start == startOf(number(auction, "time")) ? record("out", person.get("name"), start) : null;
            },
            // persons may be far ahead of auctions, which come through a topic; what is late for that is lost without it
            JoinWindows.ofTimeDifferenceAndGrace(WINDOW, GRACE),
            StreamJoined.with(ID, serde("person"), serde("auction")).withName("selling"))
        .filter((id, seller) -> seller != null)
        .to(out(), Produced.with(ID, serde("out")));
  }

  private KStream<Long, GenericRecord> bids() {
    return builder.stream("bids", Consumed.with(ID, serde("bid")));
  }

  private String out() {
    return options.get("out");
  }

  private Serde<GenericRecord> serde(String name) {
    return Avro.serde(schema(name));
  }

  private Schema schema(String name) {
    return new Schema.Parser().parse(options.get("schema." + name));
  }

  private Materialized<Long, GenericRecord, KeyValueStore<Bytes, byte[]>> table(String store, String schema) {
    return Materialized.<Long, GenericRecord, KeyValueStore<Bytes, byte[]>>as(store)
        .withKeySerde(ID)
        .withValueSerde(serde(schema));
  }

  private GenericRecord record(String name, Object... fields) {
    GenericRecord record = new GenericData.Record(made.computeIfAbsent(name, this::schema));
    for (int i = 0; i < fields.length; i++) record.put(i, fields[i]);
    return record;
  }

  private static long number(GenericRecord record, String field) {
    return (Long) record.get(field);
  }

  private static long startOf(long time) {
    return time - time % WINDOW.toMillis();
  }
}
