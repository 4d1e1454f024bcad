package authz.client.grpc;

import authz.client.Caller;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import java.util.Iterator;
import java.util.Optional;
import java.util.function.Function;

/** Says who calls a method; empty, which refuses the call, where nobody is named. */
@FunctionalInterface
public interface CallerSource {
  /** The caller of a call. */
  Optional<Caller> callerOf(ServerCall<?, ?> call, Metadata headers);

  /** Whoever the JWT in {@code authorization: Bearer} names; the sidecar checks it. */
  static CallerSource bearerToken() {
    return (call, headers) ->
        single(headers, "authorization")
            .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
            .map(value -> value.substring(7).strip())
            .flatMap(token -> acting(Caller::accessToken, token, headers));
  }

  /** Whoever owns the API key in a header; the sidecar checks it. */
  static CallerSource apiKey(String header) {
    return (call, headers) ->
        single(headers, header).flatMap(key -> acting(Caller::apiKey, key, headers));
  }

  /**
   * The user whose id is in a header, believed. Only behind something that sets this header on
   * every request, and removes one that came from outside.
   */
  static CallerSource trustedUserId(String header) {
    return (call, headers) ->
        single(headers, header).flatMap(id -> acting(Caller::user, id, headers));
  }

  private static Optional<Caller> acting(
      Function<String, Caller> make, String value, Metadata headers) {
    Metadata.Key<String> organization = key("x-organization-id");
    if (!headers.containsKey(organization)) {
      return Optional.of(make.apply(value));
    }
    // Which of two is meant, nobody knows.
    return single(headers, "x-organization-id").map(id -> make.apply(value).organization(id));
  }

  private static Optional<String> single(Metadata headers, String name) {
    Iterable<String> values = headers.getAll(key(name));
    if (values == null) {
      return Optional.empty();
    }
    Iterator<String> each = values.iterator();
    String first = each.next();
    return each.hasNext() || first.isEmpty() ? Optional.empty() : Optional.of(first);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
