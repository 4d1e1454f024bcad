package authz.client;

import authz.v1.AuthorizationServiceGrpc;
import authz.v1.AuthorizationServiceOuterClass.AuthorizeRequest;
import authz.v1.AuthorizationServiceOuterClass.AuthorizeResponse;
import authz.v1.AuthorizationServiceOuterClass.CheckCreatableRequest;
import authz.v1.AuthorizationServiceOuterClass.CheckCreatableResponse;
import authz.v1.AuthorizationServiceOuterClass.CheckRoleRequest;
import authz.v1.AuthorizationServiceOuterClass.CheckRoleResponse;
import authz.v1.AuthorizationServiceOuterClass.CheckVisibleRequest;
import authz.v1.AuthorizationServiceOuterClass.CheckVisibleResponse;
import authz.v1.AuthorizationServiceOuterClass.CheckWritableRequest;
import authz.v1.AuthorizationServiceOuterClass.CheckWritableResponse;
import authz.v1.AuthorizationServiceOuterClass.GetListFilterRequest;
import authz.v1.AuthorizationServiceOuterClass.GetListFilterResponse;
import authz.v1.AuthorizationServiceOuterClass.GetPermissionsRequest;
import authz.v1.AuthorizationServiceOuterClass.GetPermissionsResponse;
import authz.v1.AuthorizationServiceOuterClass.GetServerInfoRequest;
import authz.v1.AuthorizationServiceOuterClass.GetServerInfoResponse;
import authz.v1.AuthorizationServiceOuterClass.ListContextsRequest;
import authz.v1.AuthorizationServiceOuterClass.ListContextsResponse;
import authz.v1.AuthorizationServiceOuterClass.ResolveContextRequest;
import authz.v1.AuthorizationServiceOuterClass.ResolveContextResponse;
import authz.v1.AuthorizationServiceOuterClass.ValidateAccessRulesRequest;
import authz.v1.AuthorizationServiceOuterClass.ValidateAccessRulesResponse;
import authz.v1.AuthorizationServiceOuterClass.WatchRequest;
import authz.v1.AuthorizationServiceOuterClass.WatchResponse;
import java.util.List;
import java.util.Optional;

/** Each question of the API as a call: what is sent, and how its answer is read. */
final class Calls {
  private Calls() {}

  static Call<ResolvedContext> resolveContext(Caller caller, Options options) {
    ResolveContextRequest.Builder request =
        ResolveContextRequest.newBuilder().setCaller(Writing.caller(caller));
    Writing.consistency(unexplained(options)).ifPresent(request::setConsistency);
    return Call.of(
        AuthorizationServiceGrpc.getResolveContextMethod(),
        request.build(),
        ResolveContextResponse.parser(),
        message -> {
          Reading.wants(message.hasContext(), "context");
          return new ResolvedContext(
              Reading.context(message.getContext()),
              Reading.optional(message.hasRevision(), message.getRevision()));
        },
        options.wantedTimeout());
  }

  static Call<AvailableContexts> listContexts(Caller caller, Options options) {
    ListContextsRequest.Builder request =
        ListContextsRequest.newBuilder().setCaller(Writing.caller(caller));
    Writing.consistency(unexplained(options)).ifPresent(request::setConsistency);
    return Call.of(
        AuthorizationServiceGrpc.getListContextsMethod(),
        request.build(),
        ListContextsResponse.parser(),
        message ->
            new AvailableContexts(
                message.getContextsList().stream().map(Reading::available).toList(),
                Reading.optional(message.hasRevision(), message.getRevision())),
        options.wantedTimeout());
  }

  static Call<Decisions> checkVisible(Caller caller, List<Resource> resources, Options options) {
    CheckVisibleRequest.Builder request =
        CheckVisibleRequest.newBuilder()
            .setCaller(Writing.caller(caller))
            .addAllResources(resources.stream().map(Writing::resource).toList())
            .setExplain(options.isExplained());
    Writing.consistency(options).ifPresent(request::setConsistency);
    int count = resources.size();
    return Call.of(
        AuthorizationServiceGrpc.getCheckVisibleMethod(),
        request.build(),
        CheckVisibleResponse.parser(),
        message ->
            new Decisions(
                Reading.decisions(message.getDecisionsList(), message.getDecisionId(), count),
                message.getDecisionId(),
                Reading.optional(message.hasRevision(), message.getRevision())),
        options.wantedTimeout());
  }

  static Call<Decisions> checkWritable(
      Caller caller, List<Resource> resources, boolean skipVisible, Options options) {
    CheckWritableRequest.Builder request =
        CheckWritableRequest.newBuilder()
            .setCaller(Writing.caller(caller))
            .addAllResources(resources.stream().map(Writing::resource).toList())
            .setSkipVisible(skipVisible)
            .setExplain(options.isExplained());
    Writing.consistency(options).ifPresent(request::setConsistency);
    int count = resources.size();
    return Call.of(
        AuthorizationServiceGrpc.getCheckWritableMethod(),
        request.build(),
        CheckWritableResponse.parser(),
        message ->
            new Decisions(
                Reading.decisions(message.getDecisionsList(), message.getDecisionId(), count),
                message.getDecisionId(),
                Reading.optional(message.hasRevision(), message.getRevision())),
        options.wantedTimeout());
  }

  static Call<Decisions> checkCreatable(
      Caller caller, List<NewResource> resources, Options options) {
    CheckCreatableRequest.Builder request =
        CheckCreatableRequest.newBuilder()
            .setCaller(Writing.caller(caller))
            .addAllResources(resources.stream().map(Writing::newResource).toList())
            .setExplain(options.isExplained());
    Writing.consistency(options).ifPresent(request::setConsistency);
    int count = resources.size();
    return Call.of(
        AuthorizationServiceGrpc.getCheckCreatableMethod(),
        request.build(),
        CheckCreatableResponse.parser(),
        message ->
            new Decisions(
                Reading.decisions(message.getDecisionsList(), message.getDecisionId(), count),
                message.getDecisionId(),
                Reading.optional(message.hasRevision(), message.getRevision())),
        options.wantedTimeout());
  }

  static Call<CheckedRole> checkRole(Caller caller, RoleGate gate, Options options) {
    CheckRoleRequest.Builder request =
        CheckRoleRequest.newBuilder()
            .setCaller(Writing.caller(caller))
            .setGate(Writing.gate(gate))
            .setExplain(options.isExplained());
    Writing.consistency(options).ifPresent(request::setConsistency);
    return Call.of(
        AuthorizationServiceGrpc.getCheckRoleMethod(),
        request.build(),
        CheckRoleResponse.parser(),
        message -> {
          Reading.wants(message.hasDecision(), "decision");
          return new CheckedRole(
              Reading.decision(message.getDecision(), message.getDecisionId()),
              message.getDecisionId(),
              Reading.optional(message.hasRevision(), message.getRevision()));
        },
        options.wantedTimeout());
  }

  static Call<PermissionsList> getPermissions(
      Caller caller, List<PermissionQuery> queries, Options options) {
    GetPermissionsRequest.Builder request =
        GetPermissionsRequest.newBuilder()
            .setCaller(Writing.caller(caller))
            .addAllQueries(queries.stream().map(Writing::query).toList())
            .setExplain(options.isExplained());
    Writing.consistency(options).ifPresent(request::setConsistency);
    int count = queries.size();
    return Call.of(
        AuthorizationServiceGrpc.getGetPermissionsMethod(),
        request.build(),
        GetPermissionsResponse.parser(),
        message -> {
          Reading.wants(!message.getDecisionId().isEmpty(), "decision_id");
          Reading.counts(message.getPermissionsCount(), count);
          return new PermissionsList(
              message.getPermissionsList().stream().map(Reading::permissions).toList(),
              message.getDecisionId(),
              Reading.optional(message.hasRevision(), message.getRevision()));
        },
        options.wantedTimeout());
  }

  static Call<Authorization> authorize(
      Caller caller, List<Requirement> requirements, Options options) {
    AuthorizeRequest.Builder request =
        AuthorizeRequest.newBuilder()
            .setCaller(Writing.caller(caller))
            .addAllRequirements(requirements.stream().map(Writing::requirement).toList())
            .setExplain(options.isExplained());
    Writing.consistency(options).ifPresent(request::setConsistency);
    int count = requirements.size();
    return Call.of(
        AuthorizationServiceGrpc.getAuthorizeMethod(),
        request.build(),
        AuthorizeResponse.parser(),
        message -> authorization(message, count),
        options.wantedTimeout());
  }

  private static Authorization authorization(AuthorizeResponse message, int count) {
    Reading.wants(message.hasDecision(), "decision");
    List<Decision> each =
        Reading.decisions(message.getDecisionsList(), message.getDecisionId(), count);
    Decision verdict = Reading.decision(message.getDecision(), message.getDecisionId());
    if (verdict.allowed() != each.stream().allMatch(Decision::allowed)) {
      throw new ProtocolException("the answer's verdict is not that of its decisions");
    }
    Reading.wants(message.hasContext() || !verdict.allowed(), "context");
    return new Authorization(
        verdict,
        each,
        message.hasContext()
            ? Optional.of(Reading.context(message.getContext()))
            : Optional.empty(),
        message.getDecisionId(),
        Reading.optional(message.hasRevision(), message.getRevision()));
  }

  static Call<ListFilter> getListFilter(
      Caller caller,
      String kind,
      Optional<PermissionQuery> permission,
      Optional<SqlOptions> sql,
      Options options) {
    GetListFilterRequest.Builder request =
        GetListFilterRequest.newBuilder()
            .setCaller(Writing.caller(caller))
            .setKind(Writing.text(kind));
    permission.map(Writing::query).ifPresent(request::setPermission);
    sql.map(Writing::sql).ifPresent(request::setSql);
    Writing.consistency(unexplained(options)).ifPresent(request::setConsistency);
    boolean withSql = sql.isPresent();
    return Call.of(
        AuthorizationServiceGrpc.getGetListFilterMethod(),
        request.build(),
        GetListFilterResponse.parser(),
        message -> Filters.listFilter(message, withSql),
        options.wantedTimeout());
  }

  static Call<RuleProblems> validateAccessRules(List<AccessRule> rules, Options options) {
    if (Writing.consistency(unexplained(options)).isPresent()) {
      throw new IllegalArgumentException("rules are judged without facts");
    }
    ValidateAccessRulesRequest request =
        ValidateAccessRulesRequest.newBuilder()
            .addAllRules(rules.stream().map(Writing::rule).toList())
            .build();
    int count = rules.size();
    return Call.of(
        AuthorizationServiceGrpc.getValidateAccessRulesMethod(),
        request,
        ValidateAccessRulesResponse.parser(),
        message ->
            new RuleProblems(
                message.getProblemsList().stream()
                    .map(each -> Reading.problem(each, count))
                    .toList()),
        options.wantedTimeout());
  }

  static Call<ServerInfo> serverInfo() {
    return Call.of(
        AuthorizationServiceGrpc.getGetServerInfoMethod(),
        GetServerInfoRequest.getDefaultInstance(),
        GetServerInfoResponse.parser(),
        Reading::serverInfo,
        Optional.empty());
  }

  static Call<WatchEvent> watch(Optional<String> afterRevision) {
    WatchRequest.Builder request = WatchRequest.newBuilder();
    afterRevision.map(Writing::text).ifPresent(request::setAfterRevision);
    return Call.of(
        AuthorizationServiceGrpc.getWatchMethod(),
        request.build(),
        WatchResponse.parser(),
        Reading::watchEvent,
        Optional.empty());
  }

  private static Options unexplained(Options options) {
    if (options.isExplained()) {
      throw new IllegalArgumentException("the answer to this question has no explanation");
    }
    return options;
  }
}
