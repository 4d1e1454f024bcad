package authz.client.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import authz.client.AsyncClient;
import authz.client.Caller;
import authz.client.Client;
import authz.client.Program;
import authz.client.Requirement;
import authz.client.Resource;
import authz.client.RoleGate;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
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
import io.grpc.protobuf.StatusProto;
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
        AuthzInterceptor.builder(asked, CallerSource.trusting("x-user-id"))
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
    return ClientCalls.blockingUnaryCall(
        ClientInterceptors.intercept(
            channel, MetadataUtils.newAttachHeadersInterceptor(metadata(headers))),
        method,
        CallOptions.DEFAULT,
        request);
  }

  private static Metadata metadata(String... headers) {
    Metadata sent = new Metadata();
    for (int index = 0; index < headers.length; index += 2) {
      sent.put(
          Metadata.Key.of(headers[index], Metadata.ASCII_STRING_MARSHALLER), headers[index + 1]);
    }
    return sent;
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

  /** Nobody, and a name in another header, are nobody; of two names neither is believed. */
  @Test
  void withoutCaller() {
    String[] twoOrganizations = {
      "x-user-id", "2", "x-organization-id", "20", "x-organization-id", "21"
    };

    assertRefused(Code.UNAUTHENTICATED, SHOW, "501");
    assertRefused(Code.UNAUTHENTICATED, SHOW, "501", "x-user-id", "");
    assertRefused(Code.UNAUTHENTICATED, SHOW, "501", "x-user", "2");
    assertRefused(Code.INVALID_ARGUMENT, SHOW, "501", "x-user-id", "2", "x-user-id", "1");
    assertRefused(Code.INVALID_ARGUMENT, SHOW, "501", "x-user-id", "2,1");
    assertRefused(Code.INVALID_ARGUMENT, LIST, "", twoOrganizations);
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
        AuthzInterceptor.builder(client, CallerSource.byCredential()).open(OPEN);

    assertThrows(IllegalArgumentException.class, () -> made.require(STREAM, message -> List.of()));
    assertThrows(IllegalArgumentException.class, () -> made.known(OPEN));
    assertThrows(IllegalArgumentException.class, () -> made.require(SHOW));
  }

  private static Caller byCredential(String... headers) {
    return CallerSource.byCredential().callerOf(metadata(headers)).orElseThrow();
  }

  /** Tokens and keys are taken from their headers; what is none is refused. */
  @Test
  void credentials() {
    assertEquals(Caller.accessToken("a.b.c"), byCredential("authorization", "bearer a.b.c"));
    assertEquals(Caller.apiKey("key_a_b"), byCredential("authorization", "Bearer  key_a_b"));
    assertEquals(
        Caller.apiKey("key_a_b").organization("20"),
        byCredential("x-api-key", "key_a_b", "x-organization-id", "20"));
    assertTrue(CallerSource.byCredential().callerOf(new Metadata()).isEmpty());
    for (String bad : List.of("Basic YTpi", "Bearer", "Bearer a b", "")) {
      assertThrows(RefusedException.class, () -> byCredential("authorization", bad));
    }
    assertThrows(
        RefusedException.class,
        () -> byCredential("authorization", "Bearer a.b.c", "x-api-key", "key_a_b"));
  }

  /** A refusal has its reason for programs; one that nobody decided has none. */
  @Test
  void reasons() {
    String[] ann = {"x-user-id", "2", "x-organization-id", "20"};
    StatusRuntimeException error =
        assertThrows(StatusRuntimeException.class, () -> call(SHOW, "999999", ann));
    var details = StatusProto.fromThrowable(error).getDetailsList();

    assertEquals(1, details.size());
    assertTrue(details.get(0).getValue().toStringUtf8().contains("RESOURCE_NOT_FOUND"));
    assertEquals(Code.UNAVAILABLE, Refusal.of(new NullPointerException()).code());
    assertEquals(Code.UNAVAILABLE, Refusal.of(Status.OK.asRuntimeException()).code());
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
