package authz.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Whether what came is what a vector wants. */
final class Comparing {
  private static final List<String> EXACT = List.of("allowed", "denial", "reason");

  private Comparing() {}

  /**
   * Where they differ and how. What the wish lacks is not compared, but for the parts of a
   * decision; lists are compared by length and order.
   */
  static Optional<String> difference(JsonElement wanted, JsonElement came, String path) {
    if (wanted == null || came == null) {
      return wanted == came ? Optional.empty() : Optional.of(different(path, came, wanted));
    }
    if (wanted.isJsonObject() && came.isJsonObject()) {
      return objects(wanted.getAsJsonObject(), came.getAsJsonObject(), path);
    }
    if (wanted.isJsonArray() && came.isJsonArray()) {
      return arrays(wanted.getAsJsonArray(), came.getAsJsonArray(), path);
    }
    return wanted.equals(came) ? Optional.empty() : Optional.of(different(path, came, wanted));
  }

  private static Optional<String> objects(JsonObject wanted, JsonObject came, String path) {
    Set<String> keys = new TreeSet<>(wanted.keySet());
    if (wanted.has("allowed")) {
      keys.addAll(EXACT);
    }
    return keys.stream()
        .map(key -> difference(wanted.get(key), came.get(key), path + "." + key))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Optional<String> arrays(JsonArray wanted, JsonArray came, String path) {
    if (wanted.size() != came.size()) {
      return Optional.of(different(path + ".length", came, wanted));
    }
    for (int index = 0; index < wanted.size(); index++) {
      String here = path + "[" + index + "]";
      Optional<String> found = difference(wanted.get(index), came.get(index), here);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static String different(String path, JsonElement came, JsonElement wanted) {
    return path + " is " + came + " instead of " + wanted;
  }
}
