package peer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** Generic records, with decoder, encoder and buffer used again; each thread has its own. */
final class Avro {
  private Avro() {}

  static Serde<GenericRecord> serde(Schema schema) {
    class Tools {
      final GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(schema);
      final GenericDatumWriter<GenericRecord> writer = new GenericDatumWriter<>(schema);
      final ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
      BinaryDecoder decoder;
      BinaryEncoder encoder;
    }
    ThreadLocal<Tools> tools = ThreadLocal.withInitial(Tools::new);
    return Serdes.serdeFrom(
        (topic, record) -> {
          if (record == null) return null;
          Tools own = tools.get();
          own.bytes.reset();
          own.encoder = EncoderFactory.get().directBinaryEncoder(own.bytes, own.encoder);
          try {
            own.writer.write(record, own.encoder);
            own.encoder.flush();
          } catch (IOException thrown) {
            throw new UncheckedIOException(thrown);
          }
          return own.bytes.toByteArray();
        },
        (topic, bytes) -> {
          if (bytes == null) return null;
          Tools own = tools.get();
          own.decoder = DecoderFactory.get().binaryDecoder(bytes, own.decoder);
          try {
            return own.reader.read(null, own.decoder);
          } catch (IOException thrown) {
            throw new UncheckedIOException(thrown);
          }
        });
  }
}
