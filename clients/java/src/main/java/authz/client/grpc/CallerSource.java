package authz.client.grpc;

import authz.client.Caller;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import java.util.Optional;

/**
 * Says from the headers who calls a method; empty, which refuses the call, where nobody is named. A
 * header with several values refuses the call too: which of them is meant, nobody knows.
 */
@FunctionalInterface
public interface CallerSource {
  /** The caller of a call with these headers. */
  Optional<Caller> callerOf(Metadata headers);

  /**
   * Whoever proves who they are: {@code authorization: Bearer} has a JWT or an API key, {@code
   * x-api-key} a key, {@code x-organization-id} the organization that is wished for. The sidecar
   * checks all of it.
   */
  static CallerSource byCredential() {
    return headers -> {
      Optional<String> authorization = Headers.single(headers, "authorization");
      Optional<String> key = Headers.single(headers, "x-api-key");
      if (authorization.isPresent() && key.isPresent()) {
        throw new RefusedException(
            Code.INVALID_ARGUMENT, "TWO_CREDENTIALS", "the request has two credentials");
      }
      Optional<Caller> caller =
          key.map(Caller::apiKey).or(() -> authorization.map(Headers::bearer));
      return caller.map(each -> Headers.acting(each, headers));
    };
  }

  /**
   * Whoever a header names, without proof. Only behind something that sets this header on every
   * request, or takes it off: otherwise anybody is whoever they say.
   */
  static CallerSource trusting(String userHeader) {
    return headers ->
        Headers.single(headers, userHeader)
            .filter(id -> !id.isEmpty())
            .map(id -> Headers.acting(Caller.user(id), headers));
  }
}
