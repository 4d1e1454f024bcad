package authz.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import authz.client.WatchEvent.Beat;
import io.grpc.Status.Code;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the client does with a sidecar that lives, and with one that does not. */
final class LiveTest {
  private static final Duration PATIENT = Duration.ofSeconds(10);
  private static final Caller ANN = Caller.user("2").organization("20");
  private static final Resource OWN = Resource.of("cluster", "501");
  private static final Resource MISSING = Resource.of("cluster", "999999");

  private static Program sidecar;

  @BeforeAll
  static void start() throws Exception {
    sidecar = Program.sidecar();
  }

  @AfterAll
  static void stop() throws Exception {
    sidecar.close();
  }

  private static Client client(String way) {
    if (!way.equals("tls")) {
      return Client.builder(sidecar.told(way)).timeout(PATIENT).connect();
    }
    Tls tls =
        Tls.trusting(Path.of(sidecar.toldOfTls("ca")))
            .identity(Path.of(sidecar.toldOfTls("cert")), Path.of(sidecar.toldOfTls("key")));
    return Client.builder(sidecar.toldOfTls("address")).tls(tls).timeout(PATIENT).connect();
  }

  /** Each way to a sidecar gives the same decisions. */
  @ParameterizedTest
  @ValueSource(strings = {"unix", "tcp", "tls"})
  void eachWay(String way) {
    try (Client client = client(way)) {
      Decisions decisions = client.checkVisible(ANN, OWN, MISSING);

      assertEquals("OWNED", decisions.get(0).reason());
      assertEquals(Denial.NOT_FOUND, decisions.get(1).denial().orElseThrow());
      assertFalse(decisions.allAllowed());
      DeniedException denied = assertThrows(DeniedException.class, decisions::require);
      assertEquals("RESOURCE_NOT_FOUND", denied.reason());
      assertEquals(404, denied.denial().httpStatus());
      assertEquals(decisions.decisionId() + ".1", denied.decisionId());
    }
  }

  /** A listener that wants a certificate does not serve who brings none. */
  @Test
  void withoutCertificate() {
    Tls tls = Tls.trusting(Path.of(sidecar.toldOfTls("ca")));
    Client.Builder made = Client.builder(sidecar.toldOfTls("address")).tls(tls).timeout(PATIENT);
    try (Client client = made.connect()) {
      assertThrows(UnavailableException.class, () -> client.checkVisible(ANN, OWN));
    }
  }

  /** A listener whose certificate is of nobody that is trusted is not asked. */
  @Test
  void untrustedListener() {
    Tls tls =
        Tls.system()
            .identity(Path.of(sidecar.toldOfTls("cert")), Path.of(sidecar.toldOfTls("key")));
    Client.Builder made = Client.builder(sidecar.toldOfTls("address")).tls(tls).timeout(PATIENT);
    try (Client client = made.connect()) {
      assertThrows(UnavailableException.class, () -> client.checkVisible(ANN, OWN));
    }
  }

  /** A listener whose certificate is for other names is not asked. */
  @Test
  void listenerOfAnotherName() {
    Tls tls =
        Tls.trusting(Path.of(sidecar.toldOfTls("ca")))
            .identity(Path.of(sidecar.toldOfTls("cert")), Path.of(sidecar.toldOfTls("key")))
            .serverName("other.example");
    Client.Builder made = Client.builder(sidecar.toldOfTls("address")).tls(tls).timeout(PATIENT);
    try (Client client = made.connect()) {
      assertThrows(UnavailableException.class, () -> client.checkVisible(ANN, OWN));
    }
  }

  /** What the sidecar says of an error arrives: code, reason and field. */
  @Test
  void typedErrors() {
    try (Client client = client("unix")) {
      InvalidRequestException error =
          assertThrows(
              InvalidRequestException.class,
              () -> client.checkVisible(ANN, OWN, Resource.of("", "1")));

      assertEquals(Code.INVALID_ARGUMENT, error.code());
      assertEquals("MALFORMED_FIELD", error.reason());
      assertEquals("resources[1].kind", error.field());
      assertThrows(
          UnknownRevisionException.class,
          () -> client.resolveContext(ANN, Options.none().atLeastAsFresh("of elsewhere")));
    }
  }

  /** An answer's revision may be asked for again, and an explanation comes when asked for. */
  @Test
  void options() {
    try (Client client = client("unix")) {
      Options wanted = Options.none().fullyConsistent().explain();
      Decisions first = client.checkVisible(ANN, List.of(OWN), wanted);

      assertTrue(first.get(0).explanation().isPresent());
      Options fresh = Options.none().atLeastAsFresh(first.revision().orElseThrow());
      assertTrue(client.checkVisible(ANN, List.of(OWN), fresh).allAllowed());
    }
  }

  /** A thousand resources are one call. */
  @Test
  void batch() {
    List<Resource> resources = Stream.generate(() -> OWN).limit(1000).collect(Collectors.toList());
    try (Client client = client("unix")) {
      Decisions decisions = client.checkVisible(ANN, resources, Options.none());

      assertEquals(1000, decisions.decisions().size());
      decisions.require();
    }
  }

  /** Without waiting, many questions are on their way at once. */
  @Test
  void withoutWaiting() {
    try (Client client = client("tcp")) {
      List<CompletableFuture<Decisions>> asked =
          Stream.generate(() -> client.async().checkVisible(ANN, OWN)).limit(200).toList();

      asked.forEach(answer -> answer.join().require());
      CompletionException error =
          assertThrows(
              CompletionException.class,
              () -> client.async().checkVisible(Caller.user(""), OWN).join());
      assertInstanceOf(InvalidRequestException.class, error.getCause());
    }
  }

  /** Watch beats, and is over when it is closed. */
  @Test
  void watch() {
    try (Client client = client("unix");
        Watch watch = client.watch()) {
      for (WatchEvent event : watch) {
        if (event instanceof Beat) {
          watch.close();
        }
      }

      assertFalse(watch.iterator().hasNext());
      assertTrue(client.serverInfo().features().contains("WATCH"));
    }
  }

  /** A stream from a revision of elsewhere breaks with a typed error. */
  @Test
  void watchOfElsewhere() {
    try (Client client = client("unix");
        Watch watch = client.watch("of elsewhere")) {
      assertThrows(UnknownRevisionException.class, () -> watch.iterator().hasNext());
    }
  }

  /** A client that is closed answers nothing, and tries nothing again. */
  @Test
  void closed() {
    Client client = client("unix");
    client.close();

    assertThrows(InternalException.class, () -> client.checkVisible(ANN, OWN));
  }

  /** A thread that is interrupted does not wait on. */
  @Test
  void interrupted() {
    try (Client client = client("unix")) {
      Thread.currentThread().interrupt();

      UndecidedException error =
          assertThrows(UndecidedException.class, () -> client.checkVisible(ANN, OWN));
      assertEquals(Code.CANCELLED, error.code());
      assertTrue(Thread.interrupted());
    }
  }

  /** A sidecar that was stopped fails each call in its time, and answers when it goes on. */
  @Test
  void stoppedAndContinued() throws Exception {
    try (Client client = client("unix")) {
      client.checkVisible(ANN, OWN).require();
      Options brief = Options.none().timeout(Duration.ofMillis(300));
      sidecar.signal("STOP");
      try {
        long begun = System.nanoTime();
        assertThrows(DeadlineException.class, () -> client.checkVisible(ANN, List.of(OWN), brief));
        assertTrue(System.nanoTime() - begun < Duration.ofMillis(1300).toNanos());
      } finally {
        sidecar.signal("CONT");
      }
      client.checkVisible(ANN, OWN).require();
    }
  }
}
