package authz.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Asks a sidecar and waits for the answer. Safe for many threads.
 *
 * <p>Every method throws an {@link AuthzException} when there is no answer, within its deadline.
 */
public final class Client implements AutoCloseable {
  private final AsyncClient async;

  private Client(AsyncClient async) {
    this.async = async;
  }

  /**
   * A client that is not connected yet.
   *
   * @param target {@code unix:/run/authz/authz.sock}, or {@code host:port}
   */
  public static Builder builder(String target) {
    return new Builder(target);
  }

  /** A client in the clear, with a second for each call. */
  public static Client connect(String target) {
    return builder(target).connect();
  }

  /** The same client, on the same connection, without waiting. */
  public AsyncClient async() {
    return async;
  }

  /** As which tenant the caller acts; throws where as none. */
  public ResolvedContext resolveContext(Caller caller) {
    return resolveContext(caller, Options.none());
  }

  /** As which tenant the caller acts; throws where as none. */
  public ResolvedContext resolveContext(Caller caller, Options options) {
    return answer(async.resolveContext(caller, options));
  }

  /** The tenants as which the caller may act. */
  public AvailableContexts listContexts(Caller caller) {
    return listContexts(caller, Options.none());
  }

  /** The tenants as which the caller may act. */
  public AvailableContexts listContexts(Caller caller, Options options) {
    return answer(async.listContexts(caller, options));
  }

  /** Whether the caller may see each resource; 1 to 1,000 in one call. */
  public Decisions checkVisible(Caller caller, Resource... resources) {
    return checkVisible(caller, List.of(resources), Options.none());
  }

  /** Whether the caller may see each resource; 1 to 1,000 in one call. */
  public Decisions checkVisible(Caller caller, List<Resource> resources, Options options) {
    return answer(async.checkVisible(caller, resources, options));
  }

  /** Whether the caller may see and change each resource; 1 to 1,000 in one call. */
  public Decisions checkWritable(Caller caller, Resource... resources) {
    return checkWritable(caller, List.of(resources), Options.none());
  }

  /** Whether the caller may see and change each resource; 1 to 1,000 in one call. */
  public Decisions checkWritable(Caller caller, List<Resource> resources, Options options) {
    return answer(async.checkWritable(caller, resources, options));
  }

  /** Whether the caller may change each resource, where visibility was checked already. */
  public Decisions checkWritableOfVisible(
      Caller caller, List<Resource> resources, Options options) {
    return answer(async.checkWritableOfVisible(caller, resources, options));
  }

  /** Whether the caller may create each resource; 1 to 1,000 in one call. */
  public Decisions checkCreatable(Caller caller, NewResource... resources) {
    return checkCreatable(caller, List.of(resources), Options.none());
  }

  /** Whether the caller may create each resource; 1 to 1,000 in one call. */
  public Decisions checkCreatable(Caller caller, List<NewResource> resources, Options options) {
    return answer(async.checkCreatable(caller, resources, options));
  }

  /** Whether the caller passes a gate. */
  public CheckedRole checkRole(Caller caller, RoleGate gate) {
    return checkRole(caller, gate, Options.none());
  }

  /** Whether the caller passes a gate. */
  public CheckedRole checkRole(Caller caller, RoleGate gate, Options options) {
    return answer(async.checkRole(caller, gate, options));
  }

  /** What the caller's roles allow for each query; 1 to 1,000 in one call. */
  public PermissionsList getPermissions(Caller caller, PermissionQuery... queries) {
    return getPermissions(caller, List.of(queries), Options.none());
  }

  /** What the caller's roles allow for each query; 1 to 1,000 in one call. */
  public PermissionsList getPermissions(
      Caller caller, List<PermissionQuery> queries, Options options) {
    return answer(async.getPermissions(caller, queries, options));
  }

  /** Whether all requirements hold; 1 to 32. */
  public Authorization authorize(Caller caller, Requirement... requirements) {
    return authorize(caller, List.of(requirements), Options.none());
  }

  /** Whether all requirements hold; 1 to 32. */
  public Authorization authorize(Caller caller, List<Requirement> requirements, Options options) {
    return answer(async.authorize(caller, requirements, options));
  }

  /** Which rows of a kind the caller may list. */
  public ListFilter getListFilter(Caller caller, String kind) {
    return getListFilter(caller, kind, Optional.empty(), Optional.empty(), Options.none());
  }

  /**
   * Which rows of a kind the caller may list.
   *
   * @param permission a DATA query whose read level is joined by AND
   * @param sql asks for the filter as SQL too
   */
  public ListFilter getListFilter(
      Caller caller,
      String kind,
      Optional<PermissionQuery> permission,
      Optional<SqlOptions> sql,
      Options options) {
    return answer(async.getListFilter(caller, kind, permission, sql, options));
  }

  /** What is wrong with rules before they are stored; 1 to 1,000 in one call. */
  public RuleProblems validateAccessRules(AccessRule... rules) {
    return validateAccessRules(List.of(rules), Options.none());
  }

  /** The same, in a time of its own; of the options only this applies. */
  public RuleProblems validateAccessRules(List<AccessRule> rules, Options options) {
    return answer(async.validateAccessRules(rules, options));
  }

  /** What the server is, and what it serves on this listener. */
  public ServerInfo serverInfo() {
    return answer(async.serverInfo());
  }

  /** What changes from now on, where the listener serves it. */
  public Watch watch() {
    return async.watch(Optional.empty());
  }

  /** What changes after a revision, where the listener serves it. */
  public Watch watch(String afterRevision) {
    return async.watch(Optional.of(afterRevision));
  }

  /** Ends the connection, and calls that still run. */
  @Override
  public void close() {
    async.close();
  }

  private static <A> A answer(CompletableFuture<A> asked) {
    try {
      return asked.get();
    } catch (ExecutionException error) {
      if (error.getCause() instanceof AuthzException told) {
        // Where it was asked says more than where the answer arrived.
        told.setStackTrace(error.getStackTrace());
        throw told;
      }
      throw new IllegalStateException(error.getCause());
    } catch (InterruptedException interrupted) {
      asked.cancel(true);
      throw interrupted();
    }
  }

  static UndecidedException interrupted() {
    Thread.currentThread().interrupt();
    return new InternalException("the thread was interrupted", Status.Code.CANCELLED, "");
  }

  /** What a client is made of. */
  public static final class Builder {
    private final String target;
    private Tls tls;
    private Duration timeout = Duration.ofSeconds(1);
    private Retry retry = Retry.DEFAULT;

    private Builder(String target) {
      this.target = Objects.requireNonNull(target);
    }

    /** How the connection is protected; without, it is in the clear. */
    public Builder tls(Tls tls) {
      this.tls = Objects.requireNonNull(tls);
      return this;
    }

    /** How long to wait for each answer, repetitions included; one second unless told. */
    public Builder timeout(Duration timeout) {
      this.timeout = Objects.requireNonNull(timeout);
      return this;
    }

    /** When a call is made again. */
    public Builder retry(Retry retry) {
      this.retry = Objects.requireNonNull(retry);
      return this;
    }

    /**
     * The client. Waits for the connection, at most the time of one call; that nobody listens is
     * told by the first call.
     *
     * @throws IllegalArgumentException the target is neither {@code unix:path} nor {@code
     *     host:port}
     */
    public Client connect() {
      Connection connection = Connection.to(target, tls);
      connection.await(AsyncClient.nanos(timeout));
      return new Client(new AsyncClient(connection, timeout, retry));
    }

    /** The same as a client that does not wait; not for the connection either. */
    public AsyncClient connectAsync() {
      Connection connection = Connection.to(target, tls);
      connection.begin();
      return new AsyncClient(connection, timeout, retry);
    }
  }
}
