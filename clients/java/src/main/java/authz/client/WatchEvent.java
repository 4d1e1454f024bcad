package authz.client;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** One message of Watch. */
public sealed interface WatchEvent {
  /** Facts that changed in one transaction, or in a part of it. */
  record Changes(List<Change> changes) implements WatchEvent {
    /** Keeps a copy. */
    public Changes {
      changes = List.copyOf(changes);
    }
  }

  /** Changes may have been missed: drop all that was kept. */
  record DropEverything(Optional<String> revision) implements WatchEvent {}

  /** A proof of life; {@code position} says what the stream has told. */
  record Beat(String revision, Optional<Duration> staleness, Optional<Position> position)
      implements WatchEvent {}

  /** A fact that changed; without a key its whole group did. */
  record Change(String group, Optional<String> key, String revision) {}
}
