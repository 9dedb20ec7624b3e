package peer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** The bids of bench/bids.ts, byte for byte: Avro without a header, the key a string. */
final class Bids {
  static final String SCHEMA =
      "{\"type\":\"record\",\"name\":\"Bid\",\"fields\":["
          + "{\"name\":\"auction\",\"type\":\"long\"},{\"name\":\"bidder\",\"type\":\"long\"},"
          + "{\"name\":\"price\",\"type\":\"long\"},{\"name\":\"time\",\"type\":\"long\"},"
          + "{\"name\":\"channel\",\"type\":\"string\"},{\"name\":\"url\",\"type\":\"string\"}]}";
  static final long WINDOW_MS = 10_000;
  static final long PRICE_LIMIT = 1_250_000;
  static final int BIDDERS = 70_000;
  static final int AUCTIONS = 10_000;

  private final byte[] buffer = new byte[256];
  private int at;
  private final CRC32C crc = new CRC32C();

  byte[] key;
  byte[] value;
  long price;

  /** Moves to the n-th bid. */
  void make(long n, long time) {
    int mixed = ((int) n ^ 0x9e3779b9) * 0x85ebca6b;
    mixed = (mixed ^ (mixed >>> 13)) * 0xc2b2ae35;
    long unsigned = (mixed ^ (mixed >>> 16)) & 0xffffffffL;
    price = unsigned % 10_000 * 1000;
    long bidder = (unsigned >>> 3) % BIDDERS;
    at = 0;
    number(unsigned % AUCTIONS);
    number(bidder);
    number(price);
    number(time);
    text("channel-" + unsigned % 10);
    String padded = "000000000" + unsigned;
    text("https://www.nexmark.example/" + padded.substring(padded.length() - 10) + "/item.htm?query=1&channel=12");
    key = ("bidder" + bidder).getBytes(StandardCharsets.UTF_8);
    value = Arrays.copyOf(buffer, at);
  }

  private void number(long plain) {
    long rest = (plain << 1) ^ (plain >> 63);
    for (; (rest & ~127L) != 0; rest >>>= 7) buffer[at++] = (byte) (rest & 127 | 128);
    buffer[at++] = (byte) rest;
  }

  private void text(String plain) {
    byte[] bytes = plain.getBytes(StandardCharsets.UTF_8);
    number(bytes.length);
    System.arraycopy(bytes, 0, buffer, at, bytes.length);
    at += bytes.length;
  }

  /** Of one record; the sum over all records is the digest of a topic. */
  long digest(byte[] recordKey, byte[] recordValue, long salt) {
    crc.reset();
    crc.update(recordKey);
    crc.update(recordValue);
    return mix(crc.getValue() * 0x9e3779b97f4a7c15L + salt);
  }

  /** Of the final count of a key in a window. */
  long digest(byte[] windowedKey, long count) {
    crc.reset();
    crc.update(windowedKey);
    return mix(crc.getValue() * 0x9e3779b97f4a7c15L + count);
  }

  private static long mix(long plain) {
    long z = plain;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
