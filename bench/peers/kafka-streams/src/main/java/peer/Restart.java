package peer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.Stores;

/**
 * brokers, application, in, out, state, records; what begins with "set." is a property of Kafka Streams. A count per
 * key: says what its start has cost when it runs and has taken so many records, and ends with standard input. It counts
 * as a member when its first store is found and its restore begins, since Kafka Streams does not tell of assignments.
 */
final class Restart {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  static void main(Map<String, String> options) throws Exception {
    AtomicLong taken = new AtomicLong();
    AtomicLong first = new AtomicLong();
    StreamsBuilder builder = new StreamsBuilder();
    builder
        .stream(options.get("in"), Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .peek((key, value) -> {
          if (taken.getAndIncrement() == 0) first.set(System.nanoTime());
        })
        .groupByKey()
        .count(Materialized.<String, Long>as(Stores.persistentKeyValueStore("counts"))
            .withKeySerde(Serdes.String())
            .withValueSerde(Serdes.Long()))
        .toStream()
        .to(options.get("out"), Produced.with(Serdes.String(), Serdes.Long()));
    KafkaStreams streams = Streams.open(builder, options);
    AtomicLong began = new AtomicLong();
    AtomicLong beganCpu = new AtomicLong();
    AtomicLong restored = new AtomicLong();
    streams.setGlobalStateRestoreListener(new StateRestoreListener() {
      @Override
      public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
        if (began.compareAndSet(0, System.nanoTime())) beganCpu.set(SYSTEM.getProcessCpuTime());
      }

      @Override
      public void onBatchRestored(TopicPartition partition, String store, long end, long count) {}

      @Override
      public void onRestoreEnd(TopicPartition partition, String store, long total) {
        restored.addAndGet(total);
      }
    });
    AtomicLong running = new AtomicLong();
    AtomicLong runningCpu = new AtomicLong();
    streams.setStateListener((now, before) -> {
      if (now != KafkaStreams.State.RUNNING || began.get() == 0) return;
      runningCpu.compareAndSet(0, SYSTEM.getProcessCpuTime());
      running.compareAndSet(0, System.nanoTime());
    });
    long start = System.nanoTime();
    streams.start();
    long records = Long.parseLong(options.get("records"));
    while (running.get() == 0 || taken.get() < records) Thread.sleep(2);
    Main.say(
        "{\"joinMs\":%.1f,\"readyMs\":%.1f,\"firstMs\":%.1f,\"startToFirstMs\":%.1f,\"restored\":%d,"
            + "\"cpuSeconds\":%.2f,\"peakMb\":%d}",
        (began.get() - start) / 1e6,
        (running.get() - began.get()) / 1e6,
        (first.get() - began.get()) / 1e6,
        (first.get() - start) / 1e6,
        restored.get(),
        (runningCpu.get() - beganCpu.get()) / 1e9,
        peakMb());
    while (System.in.read() >= 0) Thread.sleep(1);
    streams.close(Duration.ofSeconds(60));
    System.exit(0);
  }

  private static long peakMb() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
    }
    return 0;
  }
}
