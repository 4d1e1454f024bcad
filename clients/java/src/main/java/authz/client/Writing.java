package authz.client;

import authz.v1.CallerOuterClass;
import authz.v1.Filter;
import authz.v1.Permission;
import authz.v1.ResourceOuterClass;
import java.util.Optional;
import java.util.function.Consumer;

/** From questions to messages. */
final class Writing {
  private Writing() {}

  static CallerOuterClass.Caller caller(Caller caller) {
    CallerOuterClass.Caller.Builder made = CallerOuterClass.Caller.newBuilder();
    caller.organization().map(Writing::text).ifPresent(made::setOrganizationId);
    caller.pinnedTo().map(Writing::text).ifPresent(made::setPinnedPrincipalId);
    Caller.Identity identity = caller.identity();
    if (identity instanceof Caller.UserId user) {
      made.setUserId(text(user.userId()));
    } else if (identity instanceof Caller.Subject subject) {
      made.getSubjectBuilder()
          .setIssuer(text(subject.issuer()))
          .setSubject(text(subject.subject()));
    } else if (identity instanceof Caller.ApiKey key) {
      made.setApiKey(text(key.apiKey()));
    } else if (identity instanceof Caller.AccessToken token) {
      made.setAccessToken(text(token.accessToken()));
    }
    return made.build();
  }

  static Optional<CallerOuterClass.Consistency> consistency(Options options) {
    if (options.isFullyConsistent()) {
      return Optional.of(
          CallerOuterClass.Consistency.newBuilder().setFullyConsistent(true).build());
    }
    return options
        .wantedRevision()
        .map(
            revision ->
                CallerOuterClass.Consistency.newBuilder()
                    .setAtLeastAsFresh(text(revision))
                    .build());
  }

  static ResourceOuterClass.Resource resource(Resource resource) {
    ResourceOuterClass.Resource.Builder made =
        ResourceOuterClass.Resource.newBuilder()
            .setKind(text(resource.kind()))
            .setId(text(resource.id()));
    resource.attributes().map(Writing::attributes).ifPresent(made::setAttributes);
    return made.build();
  }

  private static ResourceOuterClass.ResourceAttributes attributes(Attributes attributes) {
    ResourceOuterClass.ResourceAttributes.Builder made =
        ResourceOuterClass.ResourceAttributes.newBuilder();
    attributes.cluster().map(Writing::text).ifPresent(made::setClusterId);
    owner(attributes.owner(), made::setOwnerPrincipalId, made::setGlobal);
    return made.build();
  }

  static ResourceOuterClass.NewResource newResource(NewResource resource) {
    ResourceOuterClass.NewResource.Builder made =
        ResourceOuterClass.NewResource.newBuilder().setKind(text(resource.kind()));
    owner(resource.owner(), made::setOwnerPrincipalId, made::setGlobal);
    return made.build();
  }

  private static void owner(
      Optional<Owner> owner, Consumer<String> principal, Consumer<Boolean> global) {
    if (owner.isEmpty()) {
      return;
    }
    if (owner.get() instanceof Owner.OwnedBy ownedBy) {
      principal.accept(text(ownedBy.principalId()));
    } else {
      global.accept(true);
    }
  }

  static ResourceOuterClass.RoleGate gate(RoleGate gate) {
    ResourceOuterClass.RoleGate.Builder made = ResourceOuterClass.RoleGate.newBuilder();
    if (gate instanceof RoleGate.AnyOrgRole anyOf) {
      ResourceOuterClass.OrgRoles.Builder roles = made.getAnyOfOrgRolesBuilder();
      for (OrgRole role : anyOf.roles()) {
        roles.addRoles(CallerOuterClass.OrgRole.valueOf("ORG_ROLE_" + role.name()));
      }
    } else {
      made.setPlatformAdmin(true);
    }
    return made.build();
  }

  static Permission.PermissionQuery query(PermissionQuery query) {
    Permission.PermissionQuery.Builder made =
        Permission.PermissionQuery.newBuilder().setContext(ruleContext(query.context()));
    query.item().map(Writing::text).ifPresent(made::setItem);
    query.featureInstanceId().map(Writing::text).ifPresent(made::setFeatureInstanceId);
    return made.build();
  }

  static ResourceOuterClass.Requirement requirement(Requirement requirement) {
    ResourceOuterClass.Requirement.Builder made = ResourceOuterClass.Requirement.newBuilder();
    if (requirement instanceof Requirement.Visible visible) {
      made.setVisible(resource(visible.resource()));
    } else if (requirement instanceof Requirement.Writable writable) {
      made.getWritableBuilder()
          .setResource(resource(writable.resource()))
          .setSkipVisible(writable.skipVisible());
    } else if (requirement instanceof Requirement.Creatable creatable) {
      made.setCreatable(newResource(creatable.resource()));
    } else if (requirement instanceof Requirement.InRole inRole) {
      made.setRole(gate(inRole.gate()));
    } else if (requirement instanceof Requirement.Permitted permitted) {
      made.getPermissionBuilder()
          .setQuery(query(permitted.query()))
          .setOperation(Permission.Operation.valueOf("OPERATION_" + permitted.operation().name()))
          .setLeastLevel(level(permitted.least()));
    }
    return made.build();
  }

  static Filter.SqlOptions sql(SqlOptions options) {
    Filter.SqlOptions.Builder made =
        Filter.SqlOptions.newBuilder()
            .setPlaceholderStyle(
                Filter.PlaceholderStyle.valueOf(
                    "PLACEHOLDER_STYLE_" + options.placeholders().name()))
            .setFirstParameter(options.firstParameter());
    for (SqlOptions.Column each : options.columns()) {
      made.addColumnsBuilder()
          .setField(Filter.FilterField.valueOf("FILTER_FIELD_" + each.field().name()))
          .setColumn(text(each.column()));
    }
    return made.build();
  }

  static Permission.AccessRule rule(AccessRule rule) {
    Permission.AccessRule.Builder made =
        Permission.AccessRule.newBuilder()
            .setRoleId(text(rule.roleId()))
            .setContext(ruleContext(rule.context()))
            .setView(rule.view())
            .setRead(level(rule.level(Operation.READ)))
            .setCreate(level(rule.level(Operation.CREATE)))
            .setUpdate(level(rule.level(Operation.UPDATE)))
            .setDelete(level(rule.level(Operation.DELETE)));
    rule.item().map(Writing::text).ifPresent(made::setItem);
    return made.build();
  }

  private static Permission.RuleContext ruleContext(RuleContext context) {
    return Permission.RuleContext.valueOf("RULE_CONTEXT_" + context.name());
  }

  private static Permission.AccessLevel level(Optional<AccessLevel> level) {
    String name = level.map(AccessLevel::name).orElse("UNSPECIFIED");
    return Permission.AccessLevel.valueOf("ACCESS_LEVEL_" + name);
  }

  /** Text as it is sent. Half of a surrogate pair would silently become a question mark. */
  static String text(String text) {
    for (int index = 0; index < text.length(); index++) {
      if (!Character.isSurrogate(text.charAt(index))) {
        continue;
      }
      if (index + 1 == text.length()
          || !Character.isSurrogatePair(text.charAt(index), text.charAt(index + 1))) {
        throw new InvalidRequestException(
            "the question has text that is not Unicode", "MALFORMED_FIELD", "");
      }
      index++;
    }
    return text;
  }
}
