package authz.client;

import java.util.List;
import java.util.Optional;

/** Personal scope first, then organizations by id, then All mode. */
public record AvailableContexts(List<AvailableContext> contexts, Optional<String> revision) {
  /** Keeps a copy. */
  public AvailableContexts {
    contexts = List.copyOf(contexts);
  }
}
