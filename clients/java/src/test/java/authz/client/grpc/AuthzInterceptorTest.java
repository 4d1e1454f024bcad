package authz.client.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import authz.client.AsyncClient;
import authz.client.Client;
import authz.client.Program;
import authz.client.Requirement;
import authz.client.Resource;
import authz.client.RoleGate;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A method is called only when the sidecar allows it. */
final class AuthzInterceptorTest {
  private static final MethodDescriptor<String, String> SHOW = method("Show", MethodType.UNARY);
  private static final MethodDescriptor<String, String> LIST = method("List", MethodType.UNARY);
  private static final MethodDescriptor<String, String> ADMIN = method("Admin", MethodType.UNARY);
  private static final MethodDescriptor<String, String> OPEN = method("Open", MethodType.UNARY);
  private static final MethodDescriptor<String, String> NO_RULE =
      method("NoRule", MethodType.UNARY);
  private static final MethodDescriptor<String, String> BROKEN = method("Broken", MethodType.UNARY);
  private static final MethodDescriptor<String, String> STREAM =
      method("Stream", MethodType.CLIENT_STREAMING);

  private static Program sidecar;
  private final AtomicInteger called = new AtomicInteger();
  private AsyncClient client;
  private Server server;
  private ManagedChannel channel;

  @BeforeAll
  static void start() throws IOException {
    sidecar = Program.sidecar();
  }

  @AfterAll
  static void stop() throws IOException {
    sidecar.close();
  }

  @BeforeEach
  void serve() throws IOException {
    client = Client.builder(sidecar.told("unix")).timeout(Duration.ofSeconds(5)).connectAsync();
    serveWith(client);
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
    server.shutdownNow();
    client.close();
  }

  private void serveWith(AsyncClient asked) throws IOException {
    AuthzInterceptor interceptor =
        AuthzInterceptor.builder(asked, CallerSource.trustedUserId("x-user-id"))
            .require(SHOW, id -> List.of(Requirement.visible(Resource.of("cluster", id))))
            .require(BROKEN, id -> List.of())
            .require(ADMIN, Requirement.role(RoleGate.platformAdmin()))
            .known(LIST)
            .open(OPEN)
            .build();
    ServerServiceDefinition.Builder service = ServerServiceDefinition.builder("try.Try");
    for (MethodDescriptor<String, String> each :
        List.of(SHOW, LIST, ADMIN, OPEN, NO_RULE, BROKEN)) {
      service.addMethod(
          each,
          ServerCalls.asyncUnaryCall(
              (request, observer) -> {
                called.incrementAndGet();
                var tenant = AuthzInterceptor.TENANT.get();
                observer.onNext(tenant == null ? "nobody" : tenant.userId());
                observer.onCompleted();
              }));
    }
    String name = InProcessServerBuilder.generateName();
    server =
        InProcessServerBuilder.forName(name)
            .addService(service.build())
            .intercept(interceptor)
            .build()
            .start();
    channel = InProcessChannelBuilder.forName(name).build();
  }

  private String call(MethodDescriptor<String, String> method, String request, String... headers) {
    Metadata sent = new Metadata();
    for (int index = 0; index < headers.length; index += 2) {
      sent.put(
          Metadata.Key.of(headers[index], Metadata.ASCII_STRING_MARSHALLER), headers[index + 1]);
    }
    return ClientCalls.blockingUnaryCall(
        io.grpc.ClientInterceptors.intercept(
            channel, MetadataUtils.newAttachHeadersInterceptor(sent)),
        method,
        CallOptions.DEFAULT,
        request);
  }

  private void assertRefused(
      Code code, MethodDescriptor<String, String> method, String request, String... headers) {
    int before = called.get();
    StatusRuntimeException error =
        assertThrows(StatusRuntimeException.class, () -> call(method, request, headers));

    assertEquals(code, error.getStatus().getCode());
    assertEquals(before, called.get());
  }

  /** What is allowed is called, and knows its tenant. */
  @Test
  void allowed() {
    String[] ann = {"x-user-id", "2", "x-organization-id", "20"};

    assertEquals("2", call(SHOW, "501", ann));
    assertEquals("2", call(LIST, "", ann));
    assertEquals("nobody", call(OPEN, ""));
    assertEquals(3, called.get());
  }

  /** A denial ends the call with the status that fits it. */
  @Test
  void denied() {
    String[] ann = {"x-user-id", "2", "x-organization-id", "20"};

    assertRefused(Code.NOT_FOUND, SHOW, "999999", ann);
    assertRefused(Code.PERMISSION_DENIED, ADMIN, "", ann);
    assertRefused(Code.UNAUTHENTICATED, LIST, "", "x-user-id", "nobody");
    assertRefused(
        Code.INVALID_ARGUMENT, LIST, "", "x-user-id", "2", "x-organization-id", "no number");
    assertRefused(Code.INVALID_ARGUMENT, SHOW, "", ann);
  }

  /** A method without a rule is refused, and so is a rule that asks for nothing. */
  @Test
  void withoutRule() {
    assertRefused(Code.PERMISSION_DENIED, NO_RULE, "", "x-user-id", "2");
    assertRefused(Code.UNAVAILABLE, BROKEN, "", "x-user-id", "2");
  }

  /** Nobody, two at once, and a name in another header are nobody. */
  @Test
  void withoutCaller() {
    assertRefused(Code.UNAUTHENTICATED, SHOW, "501");
    assertRefused(Code.UNAUTHENTICATED, SHOW, "501", "x-user-id", "");
    assertRefused(Code.UNAUTHENTICATED, SHOW, "501", "x-user-id", "2", "x-user-id", "1");
    assertRefused(Code.UNAUTHENTICATED, SHOW, "501", "x-user", "2");
    assertRefused(
        Code.UNAUTHENTICATED,
        LIST,
        "",
        "x-user-id",
        "2",
        "x-organization-id",
        "20",
        "x-organization-id",
        "21");
  }

  /** A request whose authorization failed in front of the server is refused, open or not. */
  @Test
  void failureModeAllowed() {
    String[] headers = {
      "x-user-id", "2", "x-organization-id", "20", "x-envoy-auth-failure-mode-allowed", "true"
    };

    assertRefused(Code.UNAVAILABLE, SHOW, "501", headers);
    assertRefused(Code.UNAVAILABLE, OPEN, "", headers);
  }

  /** Without a sidecar nothing is let through, and what went wrong is not told outside. */
  @Test
  void withoutSidecar() throws IOException {
    close();
    try (AsyncClient nobody = Client.builder("unix:/nowhere/authz.sock").connectAsync()) {
      serveWith(nobody);

      assertRefused(Code.UNAVAILABLE, SHOW, "501", "x-user-id", "2");
      assertRefused(Code.UNAVAILABLE, LIST, "", "x-user-id", "2");
      StatusRuntimeException error =
          assertThrows(StatusRuntimeException.class, () -> call(LIST, "", "x-user-id", "2"));
      assertEquals("could not decide", error.getStatus().getDescription());
    }
  }

  /** A rule by message is for methods that take one message. */
  @Test
  void rulesOfStreams() {
    AuthzInterceptor.Builder made =
        AuthzInterceptor.builder(client, CallerSource.bearerToken()).open(OPEN);

    assertThrows(IllegalArgumentException.class, () -> made.require(STREAM, message -> List.of()));
    assertThrows(IllegalArgumentException.class, () -> made.known(OPEN));
    assertThrows(IllegalArgumentException.class, () -> made.require(SHOW));
  }

  /** Tokens and keys are taken from their headers. */
  @Test
  void credentials() {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "bearer a.b.c");
    headers.put(Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER), "key_a_b");

    assertEquals(
        authz.client.Caller.accessToken("a.b.c"),
        CallerSource.bearerToken().callerOf(null, headers).orElseThrow());
    assertEquals(
        authz.client.Caller.apiKey("key_a_b"),
        CallerSource.apiKey("x-api-key").callerOf(null, headers).orElseThrow());
    assertTrue(CallerSource.bearerToken().callerOf(null, new Metadata()).isEmpty());
  }

  /** What is no answer of the sidecar about this call is not told as one. */
  @Test
  void undecided() {
    assertEquals(Code.UNAVAILABLE, Refusal.of(new NullPointerException()).getCode());
    assertEquals(Code.UNAVAILABLE, Refusal.of(Status.OK.asRuntimeException()).getCode());
  }

  private static MethodDescriptor<String, String> method(String name, MethodType type) {
    return MethodDescriptor.<String, String>newBuilder()
        .setType(type)
        .setFullMethodName("try.Try/" + name)
        .setRequestMarshaller(Text.MARSHALLER)
        .setResponseMarshaller(Text.MARSHALLER)
        .build();
  }

  private enum Text implements MethodDescriptor.Marshaller<String> {
    MARSHALLER;

    @Override
    public InputStream stream(String value) {
      return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String parse(InputStream stream) {
      try {
        return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }
}
