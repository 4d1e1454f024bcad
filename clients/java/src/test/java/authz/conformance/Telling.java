package authz.conformance;

import authz.client.Authorization;
import authz.client.AuthzException;
import authz.client.AvailableContext;
import authz.client.AvailableContexts;
import authz.client.CheckedRole;
import authz.client.Decision;
import authz.client.Decisions;
import authz.client.InvalidRequestException;
import authz.client.ListFilter;
import authz.client.Permissions;
import authz.client.PermissionsList;
import authz.client.ResolvedContext;
import authz.client.RuleProblem;
import authz.client.RuleProblems;
import authz.client.Selection;
import authz.client.SqlFilter;
import authz.client.TenantContext;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.List;
import java.util.function.Function;

/** From what the client answers or throws to bare JSON. */
final class Telling {
  private Telling() {}

  static JsonObject answer(Object given) {
    JsonObject told = new JsonObject();
    if (given instanceof ResolvedContext resolved) {
      told.add("context", context(resolved.context()));
    } else if (given instanceof AvailableContexts several) {
      told.add("contexts", each(several.contexts(), Telling::available));
    } else if (given instanceof Decisions several) {
      told.add("decisions", each(several.decisions(), Telling::decision));
    } else if (given instanceof CheckedRole role) {
      told.add("decision", decision(role.decision()));
    } else if (given instanceof PermissionsList several) {
      told.add("permissions", each(several.permissions(), Telling::permissions));
    } else if (given instanceof Authorization verdict) {
      told.add("decision", decision(verdict.decision()));
      told.add("decisions", each(verdict.decisions(), Telling::decision));
      verdict.context().ifPresent(context -> told.add("context", context(context)));
    } else if (given instanceof ListFilter filter) {
      told.add("filter", selection(filter.selection()));
      filter.sql().ifPresent(sql -> told.add("sql", sql(sql)));
    } else if (given instanceof RuleProblems several) {
      told.add("problems", each(several.problems(), Telling::problem));
    } else {
      throw new IllegalArgumentException("`" + given + "` is the answer of no vector");
    }
    return told;
  }

  static JsonObject error(AuthzException thrown) {
    JsonObject told = new JsonObject();
    told.addProperty("code", thrown.code().name());
    told.addProperty("reason", thrown.reason());
    if (thrown instanceof InvalidRequestException invalid && !invalid.field().isEmpty()) {
      told.addProperty("field", invalid.field());
    }
    return told;
  }

  private static JsonObject decision(Decision given) {
    JsonObject told = new JsonObject();
    told.addProperty("allowed", given.allowed());
    told.addProperty("reason", given.reason());
    given.denial().ifPresent(denial -> told.addProperty("denial", denial.name()));
    return told;
  }

  private static JsonObject context(TenantContext given) {
    JsonObject told = new JsonObject();
    told.addProperty("user_id", given.userId());
    told.addProperty("is_platform_admin", given.isPlatformAdmin());
    told.addProperty("is_system", given.isSystem());
    told.add("accessible_cluster_ids", texts(given.accessibleClusterIds()));
    told.addProperty("current_is_personal_scope", given.currentIsPersonalScope());
    told.addProperty("bypass", given.bypass());
    told.addProperty("has_org_context", given.hasOrgContext());
    given.currentPrincipalId().ifPresent(id -> told.addProperty("current_principal_id", id));
    given.orgRole().ifPresent(role -> told.addProperty("org_role", role.name()));
    given.writePrincipalId().ifPresent(id -> told.addProperty("write_principal_id", id));
    return told;
  }

  private static JsonObject available(AvailableContext given) {
    JsonObject told = new JsonObject();
    told.addProperty("kind", given.kind().name());
    told.addProperty("name", given.name());
    given.principalId().ifPresent(id -> told.addProperty("principal_id", id));
    given.orgRole().ifPresent(role -> told.addProperty("org_role", role.name()));
    return told;
  }

  private static JsonObject permissions(Permissions given) {
    JsonObject told = new JsonObject();
    told.addProperty("view", given.view());
    told.addProperty("read", given.read().name());
    told.addProperty("create", given.create().name());
    told.addProperty("update", given.update().name());
    told.addProperty("delete", given.delete().name());
    return told;
  }

  private static JsonObject problem(RuleProblem given) {
    JsonObject told = new JsonObject();
    told.addProperty("rule_index", given.ruleIndex());
    told.addProperty("field", given.field());
    told.addProperty("reason", given.reason());
    return told;
  }

  private static JsonObject selection(Selection given) {
    if (given instanceof Selection.Condition condition) {
      return one("condition", condition(condition));
    }
    boolean isEverything = given instanceof Selection.Everything;
    return one(isEverything ? "everything" : "nothing", new JsonPrimitive(true));
  }

  private static JsonObject condition(Selection.Condition given) {
    if (given instanceof Selection.AllOf allOf) {
      return one("all_of", one("conditions", each(allOf.conditions(), Telling::condition)));
    }
    if (given instanceof Selection.AnyOf anyOf) {
      return one("any_of", one("conditions", each(anyOf.conditions(), Telling::condition)));
    }
    if (given instanceof Selection.Equal equal) {
      JsonObject told = one("field", new JsonPrimitive(equal.field().name()));
      told.addProperty("value", equal.value());
      return one("equals", told);
    }
    Selection.In in = (Selection.In) given;
    JsonObject told = one("field", new JsonPrimitive(in.field().name()));
    told.add("values", texts(in.values()));
    return one("in", told);
  }

  private static JsonObject sql(SqlFilter given) {
    JsonObject told = one("text", new JsonPrimitive(given.text()));
    told.add("parameters", each(given.parameters(), Telling::parameter));
    return told;
  }

  private static JsonObject parameter(SqlFilter.Parameter given) {
    if (given instanceof SqlFilter.Int64 int64) {
      return one("int64", new JsonPrimitive(int64.value()));
    }
    if (given instanceof SqlFilter.Text text) {
      return one("text", new JsonPrimitive(text.value()));
    }
    if (given instanceof SqlFilter.Uuid uuid) {
      return one("uuid", new JsonPrimitive(uuid.value()));
    }
    if (given instanceof SqlFilter.Int64Array array) {
      return one("int64_array", one("values", each(array.values(), JsonPrimitive::new)));
    }
    if (given instanceof SqlFilter.TextArray array) {
      return one("text_array", one("values", texts(array.values())));
    }
    SqlFilter.UuidArray array = (SqlFilter.UuidArray) given;
    return one("uuid_array", one("values", texts(array.values())));
  }

  private static JsonObject one(String name, JsonElement value) {
    JsonObject told = new JsonObject();
    told.add(name, value);
    return told;
  }

  private static JsonArray texts(List<String> given) {
    return each(given, JsonPrimitive::new);
  }

  private static <T> JsonArray each(List<T> given, Function<T, JsonElement> tell) {
    JsonArray told = new JsonArray();
    given.forEach(one -> told.add(tell.apply(one)));
    return told;
  }
}
