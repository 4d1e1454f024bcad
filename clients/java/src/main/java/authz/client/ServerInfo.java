package authz.client;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * What a server is.
 *
 * @param version the sidecar's version
 * @param engine what speaks HTTP/2 on this listener
 * @param configurationDigest of the effective settings
 * @param schemaVersion the newest migration in the database
 * @param features what this listener serves; those that are not known here are left out
 * @param position how much the server has heard; empty where it serves no Watch
 * @param staleness how far behind the database the server may be
 * @param maxStaleness how long facts from memory may answer without a proof of freshness
 */
public record ServerInfo(
    String version,
    String engine,
    String configurationDigest,
    Optional<Integer> schemaVersion,
    Set<String> features,
    Optional<Position> position,
    Optional<Duration> staleness,
    Optional<Duration> maxStaleness) {
  /** Keeps a copy. */
  public ServerInfo {
    features = Set.copyOf(features);
  }
}
