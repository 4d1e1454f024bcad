//! From a vector's request in bare JSON to a question of the client, and its answer.

use std::fmt::Display;
use std::str::FromStr;

use authz_client::{
    AccessLevel, AccessRule, Ask, AskFresh, AskWhy, Attributes, Caller, Client, Consistency, Error,
    NewResource, PermissionQuery, Question, Requirement, Resource, RoleGate, SqlOptions, v1,
};
use serde_json::{Value, json};

use crate::telling::{self, Tell};

/// The client's API cannot ask this.
pub struct NotAskable(pub String);

impl<E: Display> From<E> for NotAskable {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

type Made<T> = Result<T, NotAskable>;

/// What comes of a request, as bare JSON.
pub async fn ask(client: &Client, call: &str, asked: &Value) -> Made<Value> {
    if asked.get("caller").is_none() && call != "ValidateAccessRules" {
        return of_nobody(client, call).await;
    }
    match call {
        "ResolveContext" => {
            let caller = caller(asked)?;
            told(fresh(client.resolve_context(&caller), asked)).await
        }
        "ListContexts" => {
            let caller = caller(asked)?;
            told(fresh(client.list_contexts(&caller), asked)).await
        }
        "CheckVisible" => {
            let resources = all(asked, "resources", resource)?;
            let question = client.check_visible(&caller(asked)?, resources);
            told(why(question, asked)).await
        }
        "CheckWritable" => {
            let resources = all(asked, "resources", resource)?;
            let mut question = client.check_writable(&caller(asked)?, resources);
            if asked["skip_visible"] == json!(true) {
                question = question.skip_visible();
            }
            told(why(question, asked)).await
        }
        "CheckCreatable" => {
            let resources = all(asked, "resources", new_resource)?;
            let question = client.check_creatable(&caller(asked)?, resources);
            told(why(question, asked)).await
        }
        "CheckRole" => told(why(role(client, asked)?, asked)).await,
        "GetPermissions" => {
            let queries = all(asked, "queries", query)?;
            let question = client.get_permissions(&caller(asked)?, queries);
            told(why(question, asked)).await
        }
        "Authorize" => {
            let requirements = all(asked, "requirements", requirement)?;
            let question = client.authorize(&caller(asked)?, requirements);
            told(why(question, asked)).await
        }
        "GetListFilter" => told(list_filter(client, asked)?).await,
        "ValidateAccessRules" => {
            told(client.validate_access_rules(all(asked, "rules", rule)?)).await
        }
        _ => Err(NotAskable(format!("`{call}` is no call of a vector"))),
    }
}

async fn of_nobody(client: &Client, call: &str) -> Made<Value> {
    match call {
        "ResolveContext" => told(client.ask(v1::ResolveContextRequest::default())).await,
        "ListContexts" => told(client.ask(v1::ListContextsRequest::default())).await,
        "CheckVisible" => told(client.ask(v1::CheckVisibleRequest::default())).await,
        _ => Err(NotAskable("a question has a caller".to_owned())),
    }
}

async fn told<R: Ask<Answer: Tell>>(question: Question<'_, R>) -> Made<Value> {
    let came: Result<R::Answer, Error> = question.await;
    Ok(match came {
        Ok(answer) => json!({"response": answer.tell()}),
        Err(error) => json!({"error": telling::error(&error)}),
    })
}

fn fresh<'c, R: AskFresh>(question: Question<'c, R>, asked: &Value) -> Question<'c, R> {
    let consistency = &asked["consistency"];
    if let Some(revision) = consistency["at_least_as_fresh"].as_str() {
        return question.at_least_as_fresh(revision);
    }
    if consistency["fully_consistent"] == json!(true) {
        return question.fully_consistent();
    }
    if consistency["minimize_latency"] == json!(true) {
        return question.consistency(Consistency::MinimizeLatency);
    }
    question
}

fn why<'c, R: AskFresh + AskWhy>(question: Question<'c, R>, asked: &Value) -> Question<'c, R> {
    let question = fresh(question, asked);
    if asked["explain"] == json!(true) {
        return question.explain();
    }
    question
}

fn role<'c>(client: &'c Client, asked: &Value) -> Made<Question<'c, v1::CheckRoleRequest>> {
    let caller = caller(asked)?;
    Ok(match asked.get("gate") {
        Some(row) => client.check_role(&caller, gate(row)?),
        None => client.ask(v1::CheckRoleRequest {
            caller: Some(caller.into()),
            ..Default::default()
        }),
    })
}

fn list_filter<'c>(
    client: &'c Client,
    asked: &Value,
) -> Made<Question<'c, v1::GetListFilterRequest>> {
    let question = client.get_list_filter(&caller(asked)?, text(asked, "kind")?);
    let mut question = fresh(question, asked);
    if let Some(permission) = asked.get("permission") {
        question = question.permission(query(permission)?);
    }
    if let Some(options) = asked.get("sql") {
        question = question.sql(sql(options)?);
    }
    Ok(question)
}

fn caller(asked: &Value) -> Made<Caller> {
    let row = &asked["caller"];
    let mut caller = if row.get("user_id").is_some() {
        Caller::user(text(row, "user_id")?)
    } else if let Some(subject) = row.get("subject") {
        Caller::subject(text(subject, "issuer")?, text(subject, "subject")?)
    } else if row.get("api_key").is_some() {
        Caller::api_key(text(row, "api_key")?)
    } else {
        Caller::access_token(text(row, "access_token")?)
    };
    if let Some(organization) = optional(row, "organization_id") {
        caller = caller.organization(organization);
    }
    if let Some(principal) = optional(row, "pinned_principal_id") {
        caller = caller.pinned_to(principal);
    }
    Ok(caller)
}

fn resource(row: &Value) -> Made<Resource> {
    let resource = Resource::new(text(row, "kind")?, text(row, "id")?);
    let Some(known) = row.get("attributes") else {
        return Ok(resource);
    };
    let mut attributes = match optional(known, "owner_principal_id") {
        Some(owner) => Attributes::owned_by(owner),
        None if known["global"] == json!(true) => Attributes::unowned(),
        None => Attributes::without_owner(),
    };
    if let Some(cluster) = optional(known, "cluster_id") {
        attributes = attributes.in_cluster(cluster);
    }
    Ok(resource.attributes(attributes))
}

fn new_resource(row: &Value) -> Made<NewResource> {
    let kind = text(row, "kind")?;
    Ok(match optional(row, "owner_principal_id") {
        Some(owner) => NewResource::owned_by(kind, owner),
        None if row["global"] == json!(true) => NewResource::unowned(kind),
        None => NewResource::without_owner(kind),
    })
}

fn gate(row: &Value) -> Made<RoleGate> {
    if row["platform_admin"] == json!(true) {
        return Ok(RoleGate::platform_admin());
    }
    let roles = all(&row["any_of_org_roles"], "roles", of_word)?;
    Ok(RoleGate::any_of(roles))
}

fn query(row: &Value) -> Made<PermissionQuery> {
    let mut query = PermissionQuery::new(word(row, "context")?);
    if let Some(item) = optional(row, "item") {
        query = query.item(item);
    }
    if let Some(instance) = optional(row, "feature_instance_id") {
        query = query.feature_instance(instance);
    }
    Ok(query)
}

fn requirement(row: &Value) -> Made<Requirement> {
    if let Some(visible) = row.get("visible") {
        return Ok(Requirement::visible(resource(visible)?));
    }
    if let Some(writable) = row.get("writable") {
        let resource = resource(&writable["resource"])?;
        return Ok(if writable["skip_visible"] == json!(true) {
            Requirement::writable_as_visible(resource)
        } else {
            Requirement::writable(resource)
        });
    }
    if let Some(creatable) = row.get("creatable") {
        return Ok(Requirement::creatable(new_resource(creatable)?));
    }
    if let Some(role) = row.get("role") {
        return Ok(Requirement::in_role(gate(role)?));
    }
    let permission = &row["permission"];
    let least = level(permission, "least_level")?;
    let operation = word(permission, "operation")?;
    Ok(Requirement::permitted(
        query(&permission["query"])?,
        operation,
        least,
    ))
}

fn sql(row: &Value) -> Made<SqlOptions> {
    let mut options = SqlOptions::new(word(row, "placeholder_style")?);
    let columns = all(row, "columns", |each| {
        Ok((word(each, "field")?, text(each, "column")?.to_owned()))
    });
    for (field, column) in columns? {
        options = options.column(field, column);
    }
    if let Some(number) = row.get("first_parameter").and_then(Value::as_u64) {
        options = options.first_parameter(u32::try_from(number)?);
    }
    Ok(options)
}

fn rule(row: &Value) -> Made<AccessRule> {
    let mut rule = AccessRule::new(text(row, "role_id")?, word(row, "context")?);
    rule = rule.view(row["view"] == json!(true));
    if let Some(item) = optional(row, "item") {
        rule = rule.item(item);
    }
    if let Some(reach) = level(row, "read")? {
        rule = rule.read(reach);
    }
    if let Some(reach) = level(row, "create")? {
        rule = rule.create(reach);
    }
    if let Some(reach) = level(row, "update")? {
        rule = rule.update(reach);
    }
    if let Some(reach) = level(row, "delete")? {
        rule = rule.delete(reach);
    }
    Ok(rule)
}

fn level(row: &Value, name: &str) -> Made<Option<AccessLevel>> {
    row.get(name).map(|_| word(row, name)).transpose()
}

fn word<W: FromStr<Err: Display>>(row: &Value, name: &str) -> Made<W> {
    of_word(&row[name])
}

fn of_word<W: FromStr<Err: Display>>(value: &Value) -> Made<W> {
    Ok(value.as_str().ok_or("a word is missing")?.parse()?)
}

fn text<'v>(row: &'v Value, name: &str) -> Made<&'v str> {
    optional(row, name).ok_or_else(|| NotAskable(format!("`{name}` is missing")))
}

fn optional<'v>(row: &'v Value, name: &str) -> Option<&'v str> {
    row.get(name).and_then(Value::as_str)
}

fn all<T>(row: &Value, name: &str, make: impl Fn(&Value) -> Made<T>) -> Made<Vec<T>> {
    let found = row.get(name).and_then(Value::as_array);
    found.into_iter().flatten().map(make).collect()
}
