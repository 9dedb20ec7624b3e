package peer;

import java.util.Map;
import java.util.Properties;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;

/** Kafka Streams as all commands run it: application, brokers, state; what begins with "set." is a property of it. */
final class Streams {
  private Streams() {}

  private static Properties properties(Map<String, String> options) {
    Properties properties = new Properties();
    properties.put("application.id", options.get("application"));
    properties.put("bootstrap.servers", options.get("brokers"));
    properties.put("state.dir", options.get("state"));
    properties.put("auto.offset.reset", "earliest");
    options.forEach((name, value) -> {
      if (name.startsWith("set.")) properties.put(name.substring(4), value);
    });
    return properties;
  }

  /** Not started. Where a thread of it fails, so does the process. */
  static KafkaStreams open(StreamsBuilder builder, Map<String, String> options) {
    Properties properties = properties(options);
    KafkaStreams streams = new KafkaStreams(builder.build(properties), properties);
    streams.setUncaughtExceptionHandler(thrown -> {
      thrown.printStackTrace();
      Runtime.getRuntime().halt(1);
      return null;
    });
    return streams;
  }
}
