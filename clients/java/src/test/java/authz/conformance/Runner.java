package authz.conformance;

import authz.client.AuthzException;
import authz.client.Client;
import authz.client.Tls;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Plays a file of vectors through the client: {@code --address ADDRESS [--ca FILE --cert FILE --key
 * FILE] FILE.json}. Prints a line for each vector.
 */
final class Runner {
  // Thousands of questions on a busy machine are no test of deadlines.
  private static final Duration LONG = Duration.ofSeconds(10);

  private Runner() {}

  public static void main(String... arguments) throws IOException {
    Map<String, String> named = new HashMap<>();
    int last = arguments.length - 1;
    for (int index = 0; index < last; index += 2) {
      named.put(arguments[index], arguments[index + 1]);
    }
    Client.Builder made = Client.builder(named.get("--address")).timeout(LONG);
    if (named.containsKey("--ca")) {
      Tls tls = Tls.trusting(Path.of(named.get("--ca")));
      made.tls(tls.identity(Path.of(named.get("--cert")), Path.of(named.get("--key"))));
    }
    JsonObject file =
        JsonParser.parseString(Files.readString(Path.of(arguments[last]))).getAsJsonObject();
    try (Client client = made.connect()) {
      for (JsonElement vector : file.getAsJsonArray("vectors")) {
        System.out.println(played(client, vector.getAsJsonObject()));
      }
    }
  }

  static JsonObject played(Client client, JsonObject vector) {
    JsonObject told = new JsonObject();
    told.add("id", vector.get("id"));
    JsonObject came = new JsonObject();
    try {
      String call = vector.get("call").getAsString();
      Object answer = Asking.ask(client, call, vector.getAsJsonObject("request"));
      came.add("response", Telling.answer(answer));
    } catch (Asking.NotAskableException error) {
      told.addProperty("skipped", error.getMessage());
      return told;
    } catch (AuthzException error) {
      came.add("error", Telling.error(error));
    }
    Optional<String> difference = Comparing.difference(vector.get("want"), came, "");
    told.addProperty("ok", difference.isEmpty());
    difference.ifPresent(text -> told.addProperty("told", text));
    return told;
  }
}
