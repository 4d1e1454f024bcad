package authz.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Values are valid, or there are none. */
final class ValuesTest {
  private static Decision decision(boolean allowed, Optional<Denial> denial) {
    return new Decision(allowed, denial, "OWNED", "", "a.0", Optional.empty());
  }

  /** A decision cannot allow and deny, nor do neither. */
  @Test
  void decisions() {
    assertThrows(
        IllegalArgumentException.class, () -> decision(true, Optional.of(Denial.FORBIDDEN)));
    assertThrows(IllegalArgumentException.class, () -> decision(false, Optional.empty()));
    assertThrows(
        IllegalArgumentException.class, () -> new Decisions(List.of(), "a", Optional.empty()));
    decision(true, Optional.empty()).require();
  }

  /** A verdict cannot differ from its decisions. */
  @Test
  void verdict() {
    Decision yes = decision(true, Optional.empty());
    Decision no = decision(false, Optional.of(Denial.FORBIDDEN));

    assertThrows(
        IllegalArgumentException.class,
        () -> new Authorization(yes, List.of(yes, no), Optional.empty(), "a", Optional.empty()));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Authorization(yes, List.of(), Optional.empty(), "a", Optional.empty()));
  }

  /** A caller's text shows no credential. */
  @Test
  void secrets() {
    assertFalse(Caller.apiKey("key_a_secret").toString().contains("secret"));
    assertFalse(Caller.accessToken("secret.b.c").toString().contains("secret"));
    assertEquals(Caller.user("2").organization("20"), Caller.user("2").organization("20"));
  }

  /** Half of a surrogate pair, which would be sent as a question mark, is refused. */
  @ParameterizedTest
  @ValueSource(strings = {"\ud800", "a\udc00", "\udc00\ud800", "\ud800a"})
  void notUnicode(String text) {
    try (Client client = Client.connect("unix:/nowhere/authz.sock")) {
      InvalidRequestException error =
          assertThrows(
              InvalidRequestException.class,
              () -> client.checkVisible(Caller.user("2"), Resource.of("cluster", text)));

      assertEquals("MALFORMED_FIELD", error.reason());
    }
    assertEquals("\ud83d\ude00", Writing.text("\ud83d\ude00"));
  }

  /** Levels rise. */
  @Test
  void levels() {
    assertTrue(AccessLevel.GROUP.reaches(AccessLevel.MY));
    assertTrue(AccessLevel.MY.reaches(AccessLevel.MY));
    assertFalse(AccessLevel.NONE.reaches(AccessLevel.MY));
  }

  /** Options that contradict each other, or the question, are refused. */
  @Test
  void options() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Options.none().fullyConsistent().atLeastAsFresh("1:2"));
    try (Client client = Client.connect("unix:/nowhere/authz.sock")) {
      assertThrows(
          IllegalArgumentException.class,
          () -> client.resolveContext(Caller.user("2"), Options.none().explain()));
    }
  }

  /** A target is a socket, or a host and a port. */
  @ParameterizedTest
  @ValueSource(strings = {"", "unix:", "localhost", ":80", "dns:///a:80", "localhost:http"})
  void targets(String target) {
    assertThrows(IllegalArgumentException.class, () -> Client.connect(target));
  }

  /** A socket may be anywhere; a host may be an address in brackets. */
  @ParameterizedTest
  @ValueSource(strings = {"unix:a b.sock", "unix:///run/a.sock", "[::1]:80", "localhost:80"})
  void goodTargets(String target) {
    Client.connect(target).close();
  }
}
