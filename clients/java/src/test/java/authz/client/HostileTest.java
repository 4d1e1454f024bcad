package authz.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No server can make the client say that something is allowed by accident. */
final class HostileTest {
  private static final Duration TIMEOUT = Duration.ofMillis(700);
  // The deadline is the client's; the rest is a busy machine's.
  private static final Duration AT_MOST = TIMEOUT.plusMillis(1500);
  // Where the answer is tried, not the deadline.
  private static final Duration PATIENT = Duration.ofSeconds(10);
  private static final Caller ANN = Caller.user("2");
  private static final Resource ONE = Resource.of("cluster", "501");
  private static final Map<String, Function<Client, Object>> CALLS = new LinkedHashMap<>();
  // Nothing is a good answer to these.
  private static final Set<String> MAY_BE_EMPTY = Set.of("listContexts", "validateAccessRules");

  static {
    PermissionQuery query = PermissionQuery.of(RuleContext.DATA);
    Optional<SqlOptions> sql =
        Optional.of(SqlOptions.with(Placeholders.QUESTION).column(Field.ID, "id"));
    CALLS.put("resolveContext", client -> client.resolveContext(ANN));
    CALLS.put("listContexts", client -> client.listContexts(ANN));
    CALLS.put("checkVisible", client -> client.checkVisible(ANN, ONE));
    CALLS.put("checkWritable", client -> client.checkWritable(ANN, ONE));
    CALLS.put(
        "checkCreatable",
        client -> client.checkCreatable(ANN, NewResource.of("cluster", Owner.nobody())));
    CALLS.put("checkRole", client -> client.checkRole(ANN, RoleGate.platformAdmin()));
    CALLS.put("getPermissions", client -> client.getPermissions(ANN, query));
    CALLS.put("authorize", client -> client.authorize(ANN, Requirement.visible(ONE)));
    CALLS.put("getListFilter", client -> client.getListFilter(ANN, "cluster"));
    CALLS.put(
        "getListFilter with SQL",
        client -> client.getListFilter(ANN, "cluster", Optional.empty(), sql, Options.none()));
    CALLS.put(
        "validateAccessRules",
        client -> client.validateAccessRules(AccessRule.of("1", RuleContext.UI)));
  }

  @TempDir private Path folder;

  private Program liar(String mode) throws IOException {
    return Program.liar(mode, "unix:" + folder.resolve("liar.sock"));
  }

  private static Client brief(Program liar) {
    return Client.builder(liar.told("address")).timeout(TIMEOUT).connect();
  }

  private static Client patient(Program liar) {
    return Client.builder(liar.told("address")).timeout(PATIENT).connect();
  }

  /** A server that cannot be understood leaves every call undecided, in its time. */
  @ParameterizedTest
  @ValueSource(strings = {"silent", "stuck", "slow", "garbage", "no-message", "closing"})
  void notUnderstood(String mode) throws IOException {
    try (Program liar = liar(mode);
        Client client = brief(liar)) {
      CALLS.forEach(
          (name, call) -> {
            long begun = System.nanoTime();
            assertThrows(UndecidedException.class, () -> call.apply(client), name);
            assertTrue(System.nanoTime() - begun < AT_MOST.toNanos(), name);
          });
    }
  }

  /** An answer that contradicts itself or the question is none. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "wrong-count",
        "too-few",
        "allowed-with-denial",
        "unspecified",
        "unknown-reason",
        "denying-reason",
        "neither",
        "empty"
      })
  void lies(String mode) throws IOException {
    try (Program liar = liar(mode);
        Client client = patient(liar)) {
      CALLS.forEach(
          (name, call) -> {
            try {
              Object answer = call.apply(client);
              assertTrue(MAY_BE_EMPTY.contains(name), name + " gave " + answer);
            } catch (AuthzException error) {
              assertInstanceOf(ProtocolException.class, error, name);
            }
          });
    }
  }

  /** A verdict that is not that of its decisions is none. */
  @Test
  void verdict() throws IOException {
    try (Program liar = liar("verdict");
        Client client = patient(liar)) {
      assertThrows(
          ProtocolException.class,
          () -> client.authorize(ANN, Requirement.visible(ONE), Requirement.visible(ONE)));
    }
  }

  /** The other tests can fail: without a lie, all of this is answered. */
  @Test
  void honest() throws IOException {
    try (Program liar = liar("honest");
        Client client = patient(liar)) {
      client.checkVisible(ANN, ONE).require();
      client.authorize(ANN, Requirement.visible(ONE)).require();
      CALLS.forEach((name, call) -> call.apply(client));
    }
  }

  /** Where nobody listens, calls are undecided; who comes, or comes back, is found at once. */
  @Test
  void comingAndGoing() throws IOException {
    String address = "unix:" + folder.resolve("liar.sock");
    try (Client client = Client.builder(address).timeout(PATIENT).connect()) {
      assertThrows(UnavailableException.class, () -> client.checkVisible(ANN, ONE));
      assertThrows(UnavailableException.class, () -> client.checkVisible(ANN, ONE));

      try (Program liar = liar("honest")) {
        assertEquals(address, liar.told("address"));
        client.checkVisible(ANN, ONE).require();
      }
      assertThrows(UnavailableException.class, () -> client.checkVisible(ANN, ONE));

      try (Program liar = liar("honest")) {
        assertEquals(address, liar.told("address"));
        client.checkVisible(ANN, ONE).require();
      }
    }
  }

  /** An answer that nobody wants any more does not keep anybody. */
  @Test
  void cancelled() throws IOException {
    try (Program liar = liar("stuck");
        Client client = patient(liar)) {
      var answer = client.async().checkVisible(ANN, List.of(ONE), Options.none());
      answer.cancel(true);

      assertTrue(answer.isCancelled());
    }
  }

  /** A client that is closed leaves nobody waiting, and no connection. */
  @Test
  void closing() throws Exception {
    try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      AsyncClient client =
          Client.builder("127.0.0.1:" + listening.getLocalPort())
              .timeout(Duration.ofHours(1))
              .connectAsync();
      var answer = client.checkVisible(ANN, List.of(ONE), Options.none());
      try (Socket accepted = listening.accept()) {
        accepted.setSoTimeout((int) PATIENT.toMillis());

        client.close();

        accepted.getInputStream().readAllBytes();
      }
      ExecutionException error =
          assertThrows(
              ExecutionException.class,
              () -> answer.get(PATIENT.toMillis(), TimeUnit.MILLISECONDS));
      assertInstanceOf(InternalException.class, error.getCause());
    }
  }
}
