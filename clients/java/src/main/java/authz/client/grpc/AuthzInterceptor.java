package authz.client.grpc;

import authz.client.AsyncClient;
import authz.client.Caller;
import authz.client.Requirement;
import authz.client.TenantContext;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status.Code;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * Lets a call through to its method only when the sidecar allows it.
 *
 * <p>A method without a rule is refused. So is a call with the header {@code
 * x-envoy-auth-failure-mode-allowed}, which says that an authorization in front of this server
 * failed and was let through. A denial ends the call with {@code INVALID_ARGUMENT}, {@code
 * UNAUTHENTICATED}, {@code PERMISSION_DENIED} or {@code NOT_FOUND}; where nobody could decide it
 * ends with {@code UNAVAILABLE}.
 */
public final class AuthzInterceptor implements ServerInterceptor {
  /** Who called, in methods behind a rule. */
  public static final Context.Key<Caller> CALLER = Context.key("authz.caller");

  /** As which tenant they act, in methods behind a rule. */
  public static final Context.Key<TenantContext> TENANT = Context.key("authz.tenant");

  private static final Metadata.Key<String> FAILURE_MODE =
      Metadata.Key.of("x-envoy-auth-failure-mode-allowed", Metadata.ASCII_STRING_MARSHALLER);

  private final AsyncClient client;
  private final CallerSource callers;
  private final Map<String, Rule> rules;

  private AuthzInterceptor(AsyncClient client, CallerSource callers, Map<String, Rule> rules) {
    this.client = client;
    this.callers = callers;
    this.rules = rules;
  }

  /** An interceptor without rules yet, which refuses every call. */
  public static Builder builder(AsyncClient client, CallerSource callers) {
    return new Builder(client, callers);
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Rule rule = rules.get(call.getMethodDescriptor().getFullMethodName());
    if (headers.containsKey(FAILURE_MODE)) {
      return refused(call, Refusal.undecided("an authorization in front of this server failed"));
    }
    if (rule == null) {
      return refused(
          call,
          new Refusal(Code.PERMISSION_DENIED, "NO_ROUTE", "there is no rule for this method"));
    }
    if (rule instanceof Open) {
      return next.startCall(call, headers);
    }
    Optional<Caller> caller;
    try {
      caller = callers.callerOf(headers);
    } catch (RuntimeException defect) {
      return refused(call, Refusal.of(defect));
    }
    if (caller.isEmpty()) {
      return refused(
          call, new Refusal(Code.UNAUTHENTICATED, "CREDENTIAL_MISSING", "a credential is needed"));
    }
    Guarded<Q, R> guarded = new Guarded<>(client, caller.get(), rule, call, headers, next);
    guarded.begin();
    return guarded;
  }

  private static <Q, R> ServerCall.Listener<Q> refused(ServerCall<Q, R> call, Refusal refusal) {
    refusal.end(call);
    return new ServerCall.Listener<>() {};
  }

  /** What must hold before a method is called. */
  sealed interface Rule {}

  /** Nothing. */
  record Open() implements Rule {}

  /** The caller acts as some tenant. */
  record Known() implements Rule {}

  /** The same for every message. */
  record Fixed(List<Requirement> requirements) implements Rule {}

  /** What the only message needs. */
  record ByMessage(Function<Object, List<Requirement>> requirements) implements Rule {}

  /** Rules, each for one method. */
  public static final class Builder {
    private final AsyncClient client;
    private final CallerSource callers;
    private final Map<String, Rule> rules = new HashMap<>();

    private Builder(AsyncClient client, CallerSource callers) {
      this.client = Objects.requireNonNull(client);
      this.callers = Objects.requireNonNull(callers);
    }

    /** Anybody may call the method, and nobody is asked. */
    public Builder open(MethodDescriptor<?, ?> method) {
      return with(method, new Open());
    }

    /** Whoever acts as some tenant may call the method; what they may see is its own business. */
    public Builder known(MethodDescriptor<?, ?> method) {
      return with(method, new Known());
    }

    /** These must hold before the method is called. */
    public Builder require(MethodDescriptor<?, ?> method, Requirement... requirements) {
      if (requirements.length == 0) {
        throw new IllegalArgumentException("a rule has at least one requirement");
      }
      return with(method, new Fixed(List.of(requirements)));
    }

    /**
     * What a message needs must hold before the method gets it.
     *
     * @throws IllegalArgumentException the method takes a stream of messages
     */
    public <Q> Builder require(
        MethodDescriptor<Q, ?> method, Function<? super Q, List<Requirement>> requirements) {
      if (!method.getType().clientSendsOneMessage()) {
        throw new IllegalArgumentException("the method takes a stream of messages");
      }
      Objects.requireNonNull(requirements);
      // The message that a call brings is of the type of its method, which is looked up by name.
      @SuppressWarnings("unchecked")
      Function<Object, List<Requirement>> untyped = message -> requirements.apply((Q) message);
      return with(method, new ByMessage(untyped));
    }

    /** The interceptor. */
    public AuthzInterceptor build() {
      return new AuthzInterceptor(client, callers, Map.copyOf(rules));
    }

    private Builder with(MethodDescriptor<?, ?> method, Rule rule) {
      if (rules.putIfAbsent(method.getFullMethodName(), rule) != null) {
        throw new IllegalArgumentException("the method has a rule already");
      }
      return this;
    }
  }
}
