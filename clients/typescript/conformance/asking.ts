/** From a vector's request in bare JSON to a question of the client. */

import {
  AccessLevel,
  type AccessRule,
  type Answer,
  Caller,
  type Client,
  type Explained,
  type Field,
  type LevelName,
  type NewResource,
  type Operation,
  type OrgRole,
  type Owner,
  type PermissionQuery,
  type Placeholders,
  type Requirement,
  type Resource,
  type RoleGate,
  type RuleContext,
  type SqlOptions,
} from "../src/index.js";
import {
  list,
  NotAskableError,
  part,
  parts,
  type Row,
  text,
  textOrNone,
} from "./json.js";

type Ask = (client: Client, asked: Row) => Promise<Answer>;

const QUESTIONS: ReadonlyMap<string, Ask> = new Map<string, Ask>([
  [
    "ResolveContext",
    (at, asked) => at.resolveContext(caller(asked), options(asked)),
  ],
  [
    "ListContexts",
    (at, asked) => at.listContexts(caller(asked), options(asked)),
  ],
  [
    "CheckVisible",
    (at, asked) =>
      at.checkVisible(caller(asked), resources(asked), options(asked)),
  ],
  [
    "CheckWritable",
    (at, asked) =>
      at.checkWritable(caller(asked), resources(asked), {
        ...options(asked),
        skipVisible: asked["skip_visible"] === true,
      }),
  ],
  [
    "CheckCreatable",
    (at, asked) => {
      const created = parts(asked, "resources").map((each) =>
        newResource(each),
      );
      return at.checkCreatable(caller(asked), created, options(asked));
    },
  ],
  [
    "CheckRole",
    (at, asked) =>
      at.checkRole(caller(asked), gate(part(asked, "gate")), options(asked)),
  ],
  [
    "GetPermissions",
    (at, asked) => {
      const queries = parts(asked, "queries").map((each) => query(each));
      return at.getPermissions(caller(asked), queries, options(asked));
    },
  ],
  [
    "Authorize",
    (at, asked) => {
      const wanted = parts(asked, "requirements").map((each) =>
        requirement(each),
      );
      return at.authorize(caller(asked), wanted, options(asked));
    },
  ],
  [
    "GetListFilter",
    (at, asked) =>
      at.getListFilter(caller(asked), text(asked, "kind"), {
        ...options(asked),
        ...(asked["permission"] !== undefined && {
          permission: query(part(asked, "permission")),
        }),
        ...(asked["sql"] !== undefined && { sql: sql(part(asked, "sql")) }),
      }),
  ],
  [
    "ValidateAccessRules",
    (at, asked) =>
      at.validateAccessRules(parts(asked, "rules").map((each) => rule(each))),
  ],
]);

/** Asks what a request says; throws NotAskableError. */
export async function ask(
  client: Client,
  call: string,
  request: Row,
): Promise<Answer> {
  const question = QUESTIONS.get(call);
  if (question === undefined) throw new NotAskableError(`no call \`${call}\``);
  return question(client, request);
}

function options(asked: Row): Explained {
  const consistency = part(asked, "consistency");
  const revision = textOrNone(consistency, "at_least_as_fresh");
  return {
    ...(revision !== undefined && { atLeastAsFresh: revision }),
    ...(consistency["fully_consistent"] === true && { fullyConsistent: true }),
    ...(asked["explain"] === true && { explain: true }),
  };
}

function caller(asked: Row): Caller {
  const given = part(asked, "caller");
  const organization = textOrNone(given, "organization_id");
  const pinnedTo = textOrNone(given, "pinned_principal_id");
  if (given["user_id"] !== undefined)
    return Caller.user(text(given, "user_id"), { organization, pinnedTo });
  if (given["subject"] !== undefined) {
    const { issuer, subject } = {
      issuer: text(part(given, "subject"), "issuer"),
      subject: text(part(given, "subject"), "subject"),
    };
    return Caller.subject(issuer, subject, { organization, pinnedTo });
  }
  if (pinnedTo !== undefined)
    throw new NotAskableError("a credential takes no pin");
  if (given["api_key"] !== undefined)
    return Caller.apiKey(text(given, "api_key"), { organization });
  if (given["access_token"] !== undefined)
    return Caller.accessToken(text(given, "access_token"), { organization });
  throw new NotAskableError("a caller is one of four");
}

function resources(asked: Row): Resource[] {
  return parts(asked, "resources").map((each) => resource(each));
}

function resource(row: Row): Resource {
  const named = { kind: text(row, "kind"), id: text(row, "id") };
  if (row["attributes"] === undefined) return named;
  const known = part(row, "attributes");
  const cluster = textOrNone(known, "cluster_id");
  return { ...named, attributes: { owner: owner(known), cluster } };
}

function newResource(row: Row): NewResource {
  return { kind: text(row, "kind"), owner: owner(row) };
}

function owner(row: Row): Owner | null {
  const ownedBy = textOrNone(row, "owner_principal_id");
  if (ownedBy !== undefined) return { ownedBy };
  return row["global"] === true ? { unowned: true } : null;
}

function gate(row: Row): RoleGate {
  if (row["platform_admin"] === true) return { platformAdmin: true };
  if (row["any_of_org_roles"] === undefined)
    throw new NotAskableError("a gate is one of two");
  const roles = list(part(row, "any_of_org_roles"), "roles");
  return { anyOfOrgRoles: roles as readonly OrgRole[] };
}

function query(row: Row): PermissionQuery {
  return {
    context: text(row, "context") as RuleContext,
    item: textOrNone(row, "item"),
    featureInstanceId: textOrNone(row, "feature_instance_id"),
  };
}

function requirement(row: Row): Requirement {
  if (row["visible"] !== undefined)
    return { visible: resource(part(row, "visible")) };
  if (row["writable"] !== undefined) {
    const writable = part(row, "writable");
    return {
      writable: resource(part(writable, "resource")),
      skipVisible: writable["skip_visible"] === true,
    };
  }
  if (row["creatable"] !== undefined)
    return { creatable: newResource(part(row, "creatable")) };
  if (row["role"] !== undefined) return { role: gate(part(row, "role")) };
  const permission = part(row, "permission");
  return {
    permission: query(part(permission, "query")),
    operation: text(permission, "operation") as Operation,
    least: level(permission, "least_level"),
  };
}

function sql(row: Row): SqlOptions {
  const columns = parts(row, "columns").map((each) => [
    text(each, "field") as Field,
    text(each, "column"),
  ]);
  const first = row["first_parameter"];
  return {
    columns: Object.fromEntries(columns) as Partial<Record<Field, string>>,
    placeholders: text(row, "placeholder_style") as Placeholders,
    ...(typeof first === "number" && { firstParameter: first }),
  };
}

function rule(row: Row): AccessRule {
  return {
    roleId: text(row, "role_id"),
    context: text(row, "context") as RuleContext,
    item: textOrNone(row, "item"),
    view: row["view"] === true,
    read: level(row, "read"),
    create: level(row, "create"),
    update: level(row, "update"),
    delete: level(row, "delete"),
  };
}

function level(row: Row, name: string): AccessLevel | undefined {
  const word = textOrNone(row, name);
  return word === undefined ? undefined : AccessLevel[word as LevelName];
}
