package authz.client;

import authz.client.Attempts.Budget;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Asks a sidecar without waiting. Safe for many threads; made by {@link Client#builder}.
 *
 * <p>Each answer arrives, or fails with an {@link AuthzException}, within its deadline. Cancelling
 * it ends the call. What depends on it runs in threads that may be blocked for a while, as long as
 * it is given no executor of its own.
 */
public final class AsyncClient implements AutoCloseable {
  private static final long LONGEST_NANOS = TimeUnit.DAYS.toNanos(365);

  private final Connection connection;
  private final Duration timeout;
  private final Budget budget;

  AsyncClient(Connection connection, Duration timeout, Retry retry) {
    this.connection = connection;
    this.timeout = timeout;
    this.budget = new Budget(retry);
  }

  /** As which tenant the caller acts; fails where as none. */
  public CompletableFuture<ResolvedContext> resolveContext(Caller caller) {
    return resolveContext(caller, Options.none());
  }

  /** As which tenant the caller acts; fails where as none. */
  public CompletableFuture<ResolvedContext> resolveContext(Caller caller, Options options) {
    return ask(() -> Calls.resolveContext(caller, options));
  }

  /** The tenants as which the caller may act. */
  public CompletableFuture<AvailableContexts> listContexts(Caller caller) {
    return listContexts(caller, Options.none());
  }

  /** The tenants as which the caller may act. */
  public CompletableFuture<AvailableContexts> listContexts(Caller caller, Options options) {
    return ask(() -> Calls.listContexts(caller, options));
  }

  /** Whether the caller may see each resource; 1 to 1,000 in one call. */
  public CompletableFuture<Decisions> checkVisible(Caller caller, Resource... resources) {
    return checkVisible(caller, List.of(resources), Options.none());
  }

  /** Whether the caller may see each resource; 1 to 1,000 in one call. */
  public CompletableFuture<Decisions> checkVisible(
      Caller caller, List<Resource> resources, Options options) {
    return ask(() -> Calls.checkVisible(caller, resources, options));
  }

  /** Whether the caller may see and change each resource; 1 to 1,000 in one call. */
  public CompletableFuture<Decisions> checkWritable(Caller caller, Resource... resources) {
    return checkWritable(caller, List.of(resources), Options.none());
  }

  /** Whether the caller may see and change each resource; 1 to 1,000 in one call. */
  public CompletableFuture<Decisions> checkWritable(
      Caller caller, List<Resource> resources, Options options) {
    return ask(() -> Calls.checkWritable(caller, resources, false, options));
  }

  /** Whether the caller may change each resource, where visibility was checked already. */
  public CompletableFuture<Decisions> checkWritableOfVisible(
      Caller caller, List<Resource> resources, Options options) {
    return ask(() -> Calls.checkWritable(caller, resources, true, options));
  }

  /** Whether the caller may create each resource; 1 to 1,000 in one call. */
  public CompletableFuture<Decisions> checkCreatable(Caller caller, NewResource... resources) {
    return checkCreatable(caller, List.of(resources), Options.none());
  }

  /** Whether the caller may create each resource; 1 to 1,000 in one call. */
  public CompletableFuture<Decisions> checkCreatable(
      Caller caller, List<NewResource> resources, Options options) {
    return ask(() -> Calls.checkCreatable(caller, resources, options));
  }

  /** Whether the caller passes a gate. */
  public CompletableFuture<CheckedRole> checkRole(Caller caller, RoleGate gate) {
    return checkRole(caller, gate, Options.none());
  }

  /** Whether the caller passes a gate. */
  public CompletableFuture<CheckedRole> checkRole(Caller caller, RoleGate gate, Options options) {
    return ask(() -> Calls.checkRole(caller, gate, options));
  }

  /** What the caller's roles allow for each query; 1 to 1,000 in one call. */
  public CompletableFuture<PermissionsList> getPermissions(
      Caller caller, PermissionQuery... queries) {
    return getPermissions(caller, List.of(queries), Options.none());
  }

  /** What the caller's roles allow for each query; 1 to 1,000 in one call. */
  public CompletableFuture<PermissionsList> getPermissions(
      Caller caller, List<PermissionQuery> queries, Options options) {
    return ask(() -> Calls.getPermissions(caller, queries, options));
  }

  /** Whether all requirements hold; 1 to 32. */
  public CompletableFuture<Authorization> authorize(Caller caller, Requirement... requirements) {
    return authorize(caller, List.of(requirements), Options.none());
  }

  /** Whether all requirements hold; 1 to 32. */
  public CompletableFuture<Authorization> authorize(
      Caller caller, List<Requirement> requirements, Options options) {
    return ask(() -> Calls.authorize(caller, requirements, options));
  }

  /** Which rows of a kind the caller may list. */
  public CompletableFuture<ListFilter> getListFilter(Caller caller, String kind) {
    return getListFilter(caller, kind, Optional.empty(), Optional.empty(), Options.none());
  }

  /**
   * Which rows of a kind the caller may list.
   *
   * @param permission a DATA query whose read level is joined by AND
   * @param sql asks for the filter as SQL too
   */
  public CompletableFuture<ListFilter> getListFilter(
      Caller caller,
      String kind,
      Optional<PermissionQuery> permission,
      Optional<SqlOptions> sql,
      Options options) {
    return ask(() -> Calls.getListFilter(caller, kind, permission, sql, options));
  }

  /** What is wrong with rules before they are stored; 1 to 1,000 in one call. */
  public CompletableFuture<RuleProblems> validateAccessRules(AccessRule... rules) {
    return validateAccessRules(List.of(rules), Options.none());
  }

  /** The same, in a time of its own; of the options only this applies. */
  public CompletableFuture<RuleProblems> validateAccessRules(
      List<AccessRule> rules, Options options) {
    return ask(() -> Calls.validateAccessRules(rules, options));
  }

  /** What the server is, and what it serves on this listener. */
  public CompletableFuture<ServerInfo> serverInfo() {
    return ask(Calls::serverInfo);
  }

  Watch watch(Optional<String> afterRevision) {
    return new Watch(connection, Calls.watch(afterRevision));
  }

  /** Ends the connection, and calls that still run. */
  @Override
  public void close() {
    connection.close();
  }

  private <A> CompletableFuture<A> ask(Supplier<Call<A>> make) {
    Call<A> call;
    try {
      call = make.get();
    } catch (InvalidRequestException error) {
      return CompletableFuture.failedFuture(error);
    }
    return Asked.ask(connection, call, budget, nanos(call.timeout().orElse(timeout)));
  }

  static long nanos(Duration timeout) {
    return Math.min(TimeUnit.NANOSECONDS.convert(timeout), LONGEST_NANOS);
  }
}
