package peer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/** brokers, and either create (names, by comma) with partitions, or delete (a prefix). */
final class Topics {
  static void main(Map<String, String> options) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", options.get("brokers")))) {
      if (options.containsKey("create")) {
        List<NewTopic> topics = new ArrayList<>();
        int partitions = Integer.parseInt(options.get("partitions"));
        for (String name : options.get("create").split(",")) {
          topics.add(new NewTopic(name, partitions, (short) 1)
              .configs(Map.of("retention.ms", "-1", "max.message.bytes", "8388608")));
        }
        admin.createTopics(topics).all().get();
      } else {
        List<String> names = new ArrayList<>();
        for (String name : admin.listTopics().names().get()) {
          if (name.startsWith(options.get("delete"))) names.add(name);
        }
        admin.deleteTopics(names).all().get();
      }
    }
    Main.say("{}");
  }
}
