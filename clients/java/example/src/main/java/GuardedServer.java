import authz.client.AsyncClient;
import authz.client.Client;
import authz.client.OrgRole;
import authz.client.Requirement;
import authz.client.Resource;
import authz.client.RoleGate;
import authz.client.grpc.AuthzInterceptor;
import authz.client.grpc.CallerSource;
import com.google.protobuf.StringValue;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ServerCalls;
import java.util.List;
import java.util.Optional;

/**
 * A gRPC server whose methods run only for those who may. {@code AUTHZ_TARGET} is the sidecar;
 * {@code PORT} is this server's.
 */
public final class GuardedServer {
  private static final MethodDescriptor<StringValue, StringValue> WHO_AM_I = method("WhoAmI");
  private static final MethodDescriptor<StringValue, StringValue> RESTART = method("Restart");
  private static final MethodDescriptor<StringValue, StringValue> PING = method("Ping");

  public static void main(String... arguments) throws Exception {
    String target = Optional.ofNullable(System.getenv("AUTHZ_TARGET")).orElse("unix:authz.sock");
    int port = Optional.ofNullable(System.getenv("PORT")).map(Integer::valueOf).orElse(50051);
    try (AsyncClient client = Client.builder(target).connectAsync()) {
      Server server =
          Grpc.newServerBuilderForPort(port, InsecureServerCredentials.create())
              .addService(clusters())
              .intercept(guard(client))
              .build()
              .start();
      System.out.println("serving on port " + server.getPort());
      server.awaitTermination();
    }
  }

  // A method that is not here is refused.
  private static AuthzInterceptor guard(AsyncClient client) {
    return AuthzInterceptor.builder(client, CallerSource.byCredential())
        .known(WHO_AM_I)
        .require(
            RESTART,
            request ->
                List.of(
                    Requirement.role(RoleGate.anyOrgRole(OrgRole.ADMIN)),
                    Requirement.visible(Resource.of("cluster", request.getValue()))))
        .open(PING)
        .build();
  }

  private static ServerServiceDefinition clusters() {
    return ServerServiceDefinition.builder("demo.Clusters")
        .addMethod(
            WHO_AM_I,
            ServerCalls.asyncUnaryCall(
                (request, observer) -> {
                  var tenant = AuthzInterceptor.TENANT.get();
                  observer.onNext(StringValue.of(tenant.currentPrincipalId().orElse("")));
                  observer.onCompleted();
                }))
        .addMethod(
            RESTART,
            ServerCalls.asyncUnaryCall(
                (request, observer) -> {
                  String userId = AuthzInterceptor.TENANT.get().userId();
                  observer.onNext(StringValue.of(request.getValue() + " by " + userId));
                  observer.onCompleted();
                }))
        .addMethod(
            PING,
            ServerCalls.asyncUnaryCall(
                (request, observer) -> {
                  observer.onNext(request);
                  observer.onCompleted();
                }))
        .build();
  }

  private static MethodDescriptor<StringValue, StringValue> method(String name) {
    return MethodDescriptor.<StringValue, StringValue>newBuilder()
        .setType(MethodType.UNARY)
        .setFullMethodName("demo.Clusters/" + name)
        .setRequestMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
        .setResponseMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
        .build();
  }
}
