package authz.conformance;

import authz.client.AccessLevel;
import authz.client.AccessRule;
import authz.client.Attributes;
import authz.client.Caller;
import authz.client.Client;
import authz.client.Field;
import authz.client.NewResource;
import authz.client.Operation;
import authz.client.Options;
import authz.client.OrgRole;
import authz.client.Owner;
import authz.client.PermissionQuery;
import authz.client.Placeholders;
import authz.client.Requirement;
import authz.client.Resource;
import authz.client.RoleGate;
import authz.client.RuleContext;
import authz.client.SqlOptions;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Asks a client what a vector's request in bare JSON asks. */
final class Asking {
  private Asking() {}

  /** The client's API cannot ask this. */
  static final class NotAskableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotAskableException(String message) {
      super(message);
    }
  }

  static Object ask(Client client, String call, JsonObject request) {
    if (call.equals("ValidateAccessRules")) {
      return client.validateAccessRules(each(request, "rules", Asking::rule), Options.none());
    }
    Caller caller = caller(request.getAsJsonObject("caller"));
    Options options = options(request);
    return switch (call) {
      case "ResolveContext" -> client.resolveContext(caller, options);
      case "ListContexts" -> client.listContexts(caller, options);
      case "CheckVisible" -> client.checkVisible(caller, resources(request), options);
      case "CheckWritable" ->
          flag(request, "skip_visible")
              ? client.checkWritableOfVisible(caller, resources(request), options)
              : client.checkWritable(caller, resources(request), options);
      case "CheckCreatable" ->
          client.checkCreatable(caller, each(request, "resources", Asking::newResource), options);
      case "CheckRole" -> client.checkRole(caller, gate(request.getAsJsonObject("gate")), options);
      case "GetPermissions" ->
          client.getPermissions(caller, each(request, "queries", Asking::query), options);
      case "Authorize" ->
          client.authorize(caller, each(request, "requirements", Asking::requirement), options);
      case "GetListFilter" ->
          client.getListFilter(
              caller,
              request.get("kind").getAsString(),
              part(request, "permission").map(Asking::query),
              part(request, "sql").map(Asking::sql),
              options);
      default -> throw new NotAskableException("there is no call `" + call + "`");
    };
  }

  private static Options options(JsonObject request) {
    Options options = flag(request, "explain") ? Options.none().explain() : Options.none();
    JsonObject consistency = part(request, "consistency").orElseGet(JsonObject::new);
    if (flag(consistency, "fully_consistent")) {
      options = options.fullyConsistent();
    }
    Optional<String> revision = text(consistency, "at_least_as_fresh");
    return revision.isPresent() ? options.atLeastAsFresh(revision.get()) : options;
  }

  private static Caller caller(JsonObject row) {
    if (row == null) {
      throw new NotAskableException("a caller is somebody");
    }
    Caller caller = identity(row).organization(text(row, "organization_id").orElse(null));
    return text(row, "pinned_principal_id").map(caller::pinnedTo).orElse(caller);
  }

  private static Caller identity(JsonObject row) {
    if (row.has("subject")) {
      JsonObject subject = row.getAsJsonObject("subject");
      return Caller.subject(
          subject.get("issuer").getAsString(), subject.get("subject").getAsString());
    }
    return Stream.of(
            text(row, "user_id").map(Caller::user),
            text(row, "api_key").map(Caller::apiKey),
            text(row, "access_token").map(Caller::accessToken))
        .flatMap(Optional::stream)
        .findFirst()
        .orElseThrow(() -> new NotAskableException("a caller is somebody"));
  }

  private static List<Resource> resources(JsonObject request) {
    return each(request, "resources", Asking::resource);
  }

  private static Resource resource(JsonObject row) {
    return new Resource(
        row.get("kind").getAsString(),
        row.get("id").getAsString(),
        part(row, "attributes")
            .map(known -> new Attributes(owner(known), text(known, "cluster_id"))));
  }

  private static NewResource newResource(JsonObject row) {
    return new NewResource(row.get("kind").getAsString(), owner(row));
  }

  private static Optional<Owner> owner(JsonObject row) {
    return flag(row, "global")
        ? Optional.of(Owner.nobody())
        : text(row, "owner_principal_id").map(Owner::principal);
  }

  private static RoleGate gate(JsonObject row) {
    if (row != null && flag(row, "platform_admin")) {
      return RoleGate.platformAdmin();
    }
    if (row != null && row.has("any_of_org_roles")) {
      Stream<JsonElement> roles = list(row.getAsJsonObject("any_of_org_roles"), "roles");
      return RoleGate.anyOrgRole(
          roles.map(role -> OrgRole.valueOf(role.getAsString())).toArray(OrgRole[]::new));
    }
    throw new NotAskableException("a gate is one of two");
  }

  private static PermissionQuery query(JsonObject row) {
    return new PermissionQuery(
        RuleContext.valueOf(row.get("context").getAsString()),
        text(row, "item"),
        text(row, "feature_instance_id"));
  }

  private static Requirement requirement(JsonObject row) {
    if (row.has("visible")) {
      return Requirement.visible(resource(row.getAsJsonObject("visible")));
    }
    if (row.has("writable")) {
      JsonObject writable = row.getAsJsonObject("writable");
      return new Requirement.Writable(
          resource(writable.getAsJsonObject("resource")), flag(writable, "skip_visible"));
    }
    if (row.has("creatable")) {
      return Requirement.creatable(newResource(row.getAsJsonObject("creatable")));
    }
    if (row.has("role")) {
      return Requirement.role(gate(row.getAsJsonObject("role")));
    }
    JsonObject permission = row.getAsJsonObject("permission");
    return new Requirement.Permitted(
        query(permission.getAsJsonObject("query")),
        Operation.valueOf(permission.get("operation").getAsString()),
        level(permission, "least_level"));
  }

  private static SqlOptions sql(JsonObject row) {
    SqlOptions options =
        SqlOptions.with(Placeholders.valueOf(row.get("placeholder_style").getAsString()));
    for (SqlOptions.Column each : each(row, "columns", Asking::column)) {
      options = options.column(each.field(), each.column());
    }
    return row.has("first_parameter")
        ? options.firstParameter(row.get("first_parameter").getAsInt())
        : options;
  }

  private static SqlOptions.Column column(JsonObject row) {
    return new SqlOptions.Column(
        Field.valueOf(row.get("field").getAsString()), row.get("column").getAsString());
  }

  private static AccessRule rule(JsonObject row) {
    RuleContext context = RuleContext.valueOf(row.get("context").getAsString());
    AccessRule rule =
        AccessRule.of(row.get("role_id").getAsString(), context).view(flag(row, "view"));
    rule = text(row, "item").map(rule::item).orElse(rule);
    rule = level(row, "read").map(rule::read).orElse(rule);
    rule = level(row, "create").map(rule::create).orElse(rule);
    rule = level(row, "update").map(rule::update).orElse(rule);
    return level(row, "delete").map(rule::delete).orElse(rule);
  }

  private static Optional<AccessLevel> level(JsonObject row, String name) {
    return text(row, name).map(AccessLevel::valueOf);
  }

  private static Optional<String> text(JsonObject row, String name) {
    return Optional.ofNullable(row.get(name)).map(JsonElement::getAsString);
  }

  private static boolean flag(JsonObject row, String name) {
    return row.has(name) && row.get(name).getAsBoolean();
  }

  private static Optional<JsonObject> part(JsonObject row, String name) {
    return Optional.ofNullable(row.getAsJsonObject(name));
  }

  private static <T> List<T> each(JsonObject row, String name, Function<JsonObject, T> read) {
    return list(row, name).map(JsonElement::getAsJsonObject).map(read).toList();
  }

  private static Stream<JsonElement> list(JsonObject row, String name) {
    return row.has(name)
        ? StreamSupport.stream(row.getAsJsonArray(name).spliterator(), false)
        : Stream.empty();
  }
}
