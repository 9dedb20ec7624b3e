import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * Prints batches as Kafka's own classes write them, or reads batches of others with those classes.
 *
 *   java -cp '.:LIBS/*' Golden write           a line a batch: size, codec, hex
 *   java -cp '.:LIBS/*' Golden read < lines    for each line (name, hex): its name, record count, bytes of values
 */
public class Golden {
  public static void main(String[] args) throws Exception {
    if (args[0].equals("write")) {
      for (String size : new String[] {"small", "large"}) {
        for (CompressionType type : CompressionType.values()) {
          if (size.equals("small") || type != CompressionType.NONE) write(size, type);
        }
      }
    } else {
      for (String line : new String(System.in.readAllBytes()).split("\n")) read(line.split(" "));
    }
  }

  static void write(String size, CompressionType type) {
    boolean small = size.equals("small");
    ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
    MemoryRecordsBuilder builder = MemoryRecords.builder(
        buffer, RecordBatch.MAGIC_VALUE_V2, Compression.of(type).build(), TimestampType.CREATE_TIME,
        42L, -1L, 7L, (short) 3, 11, false, false, 5);
    for (int i = 0; i < (small ? 40 : 250); i++) {
      byte[] key = i % 7 == 3 ? null : ("key-" + i).getBytes();
      byte[] value = i % 11 == 5 ? null : ("value " + i + "abc".repeat(small ? i % 20 : 300)).getBytes();
      Header[] headers = i % 5 == 0 ? new Header[] {new RecordHeader("n", new byte[] {(byte) i})} : new Header[0];
      builder.append(1_700_000_000_000L + i * 3L, key, value, headers);
    }
    ByteBuffer out = builder.build().buffer();
    byte[] bytes = new byte[out.remaining()];
    out.get(bytes);
    System.out.println(size + " " + type.name + " " + HexFormat.of().formatHex(bytes));
  }

  static void read(String[] line) {
    MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(HexFormat.of().parseHex(line[1])));
    long count = 0;
    long bytes = 0;
    for (RecordBatch batch : records.batches()) {
      batch.ensureValid();
      for (var record : batch) {
        count++;
        bytes += Math.max(record.valueSize(), 0);
      }
    }
    System.out.println(line[0] + " " + count + " " + bytes);
  }
}
