package authz.client.grpc;

import authz.client.Caller;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import java.util.Iterator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How headers are read. */
final class Headers {
  private static final Pattern BEARER =
      Pattern.compile("bearer +([^ ]+)", Pattern.CASE_INSENSITIVE);

  private Headers() {}

  static Caller acting(Caller caller, Metadata headers) {
    return single(headers, "x-organization-id").map(caller::organization).orElse(caller);
  }

  static Caller bearer(String authorization) {
    Matcher match = BEARER.matcher(authorization);
    if (!match.matches()) {
      throw new RefusedException(
          Code.UNAUTHENTICATED, "INVALID_CREDENTIAL", "the credential is not valid");
    }
    String text = match.group(1);
    // A JWT has three parts, and no part of it can have a dot.
    boolean isToken = text.chars().filter(each -> each == '.').count() == 2;
    return isToken ? Caller.accessToken(text) : Caller.apiKey(text);
  }

  static Optional<String> single(Metadata headers, String name) {
    Iterable<String> values =
        headers.getAll(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
    if (values == null) {
      return Optional.empty();
    }
    Iterator<String> each = values.iterator();
    String first = each.next();
    if (each.hasNext() || first.contains(",")) {
      throw new RefusedException(
          Code.INVALID_ARGUMENT,
          "REPEATED_HEADER",
          "the header `" + name + "` has more than one value");
    }
    return Optional.of(first.strip());
  }
}
