package peer;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * brokers, topic, row. For count the digest is over the last count of each key and window. The volume is what all
 * topics with the prefix take on the broker's disk.
 */
final class Check {
  static void main(Map<String, String> options) throws Exception {
    String topic = options.get("topic");
    boolean counting = options.get("row").equals("count");
    Properties properties = new Properties();
    properties.put("bootstrap.servers", options.get("brokers"));
    properties.put("isolation.level", "read_committed");
    properties.put("max.poll.records", 50_000);
    properties.put("fetch.max.bytes", 64 << 20);
    properties.put("max.partition.fetch.bytes", 8 << 20);
    Bids bids = new Bids();
    long records = 0;
    long digest = 0;
    Map<ByteBuffer, long[]> counts = new HashMap<>();
    try (var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (var info : consumer.partitionsFor(topic)) partitions.add(new TopicPartition(topic, info.partition()));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          records++;
          if (counting) {
            long count = ByteBuffer.wrap(record.value()).getLong();
            counts.computeIfAbsent(ByteBuffer.wrap(record.key()), absent -> new long[1])[0] = count;
          } else {
            digest += bids.digest(record.key(), record.value(), record.timestamp());
          }
        }
      }
    }
    for (var each : counts.entrySet()) digest += bids.digest(each.getKey().array(), each.getValue()[0]);
    Main.say(
        "{\"records\":%d,\"digest\":\"%x\",\"written\":%d,\"volumes\":%s}",
        counting ? counts.size() : records, digest, records, volumes(options.get("brokers"), options.get("prefix")));
  }

  private static String volumes(String brokers, String prefix) throws Exception {
    Map<String, Long> volumes = new HashMap<>();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
      List<Integer> ids = new ArrayList<>();
      for (var node : admin.describeCluster().nodes().get()) ids.add(node.id());
      for (var directories : admin.describeLogDirs(ids).allDescriptions().get().values()) {
        for (var directory : directories.values()) {
          directory.replicaInfos().forEach((partition, info) -> {
            if (partition.topic().startsWith(prefix)) volumes.merge(partition.topic(), info.size(), Long::sum);
          });
        }
      }
    }
    StringBuilder json = new StringBuilder("{");
    volumes.forEach((topic, size) ->
        json.append(json.length() == 1 ? "" : ",").append('"').append(topic).append("\":").append(size));
    return json.append('}').toString();
  }
}
