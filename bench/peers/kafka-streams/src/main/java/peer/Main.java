package peer;

import java.util.HashMap;
import java.util.Map;

/**
 * The Java side of the benchmark. Arguments are name=value; answers are lines of JSON.
 *
 *   topics  makes topics, or deletes those with a prefix
 *   load    fills a topic with bids, and says what each row must make of them
 *   run     runs a row with Kafka Streams; says when it has taken so many records, and when all are committed
 *   restart runs a count per key, and says what its start has cost
 *   nexmark runs a query of the Nexmark benchmark with Kafka Streams, to the end of its inputs
 *   check   reads an output, committed records only: its count and a digest that does not depend on order
 *   live    produces at a fixed rate and measures how long records take to come out, committed
 */
public final class Main {
  public static void main(String[] args) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 1; i < args.length; i++) {
      int equals = args[i].indexOf('=');
      options.put(args[i].substring(0, equals), args[i].substring(equals + 1));
    }
    switch (args[0]) {
      case "topics" -> Topics.main(options);
      case "load" -> Load.main(options);
      case "run" -> Run.main(options);
      case "restart" -> Restart.main(options);
      case "nexmark" -> Nexmark.main(options);
      case "check" -> Check.main(options);
      case "live" -> Live.main(options);
      default -> throw new IllegalArgumentException("there is no " + args[0]);
    }
  }

  static synchronized void say(String format, Object... values) {
    System.out.println(String.format(java.util.Locale.ROOT, format, values));
    System.out.flush();
  }
}
