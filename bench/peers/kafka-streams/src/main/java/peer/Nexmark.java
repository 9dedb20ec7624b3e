package peer;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;

/**
 * brokers, application, query, out, state, and schema.x for each record that the query reads or writes, in Avro; what
 * begins with "set." is a property of Kafka Streams. Says a line when it runs, and ends with standard input: that it has
 * come to the end of its inputs is seen from outside.
 */
final class Nexmark {
  static void main(Map<String, String> options) throws Exception {
    StreamsBuilder builder = new StreamsBuilder();
    NexmarkQueries.build(builder, options);
    KafkaStreams streams = Streams.open(builder, options);
    streams.start();
    Main.say("{\"at\":\"mark\",\"records\":0}");
    while (System.in.read() >= 0) Thread.sleep(1);
    streams.close(Duration.ofSeconds(60));
    System.exit(0);
  }
}
