//! From what the client answers to bare JSON.

use authz_client::{
    Authorization, AvailableContexts, CheckedRole, Code, Condition, Decision, Decisions, Denial,
    Error, ListFilter, OrgRole, Permissions, PermissionsList, ResolvedContext, RuleProblems,
    Selection, SqlFilter, SqlValue, TenantContext,
};
use serde_json::{Map, Value, json};

/// An answer that can be told.
pub trait Tell {
    fn tell(&self) -> Value;
}

/// An error of any call.
pub fn error(error: &Error) -> Value {
    with(
        json!({"code": code(error.code()), "reason": error.reason()}),
        [(
            "field",
            Some(error.field()).filter(|field| !field.is_empty()),
        )],
    )
}

impl Tell for ResolvedContext {
    fn tell(&self) -> Value {
        json!({"context": context(&self.context)})
    }
}

impl Tell for AvailableContexts {
    fn tell(&self) -> Value {
        let contexts = self.contexts.iter().map(|each| {
            with(
                json!({"kind": each.kind.name(), "name": each.name}),
                [
                    ("principal_id", each.principal_id.as_deref()),
                    ("org_role", each.org_role.map(OrgRole::name)),
                ],
            )
        });
        json!({"contexts": contexts.collect::<Vec<_>>()})
    }
}

impl Tell for Decisions {
    fn tell(&self) -> Value {
        json!({"decisions": decisions(self.as_slice())})
    }
}

impl Tell for CheckedRole {
    fn tell(&self) -> Value {
        json!({"decision": decision(&self.decision)})
    }
}

impl Tell for PermissionsList {
    fn tell(&self) -> Value {
        let each = self.permissions.iter().map(permissions);
        json!({"permissions": each.collect::<Vec<_>>()})
    }
}

impl Tell for Authorization {
    fn tell(&self) -> Value {
        let mut told = json!({
            "decision": decision(&self.decision),
            "decisions": decisions(&self.decisions),
        });
        if let Some(decided) = &self.context {
            told["context"] = context(decided);
        }
        told
    }
}

impl Tell for ListFilter {
    fn tell(&self) -> Value {
        let mut told = json!({"filter": selection(&self.selection)});
        if let Some(asked) = &self.sql {
            told["sql"] = sql(asked);
        }
        told
    }
}

impl Tell for RuleProblems {
    fn tell(&self) -> Value {
        let problems = self.problems.iter().map(|each| {
            json!({
                "rule_index": each.rule_index,
                "field": each.field,
                "reason": each.reason.name(),
            })
        });
        json!({"problems": problems.collect::<Vec<_>>()})
    }
}

fn decisions(given: &[Decision]) -> Vec<Value> {
    given.iter().map(decision).collect()
}

fn decision(given: &Decision) -> Value {
    with(
        json!({"allowed": given.allowed(), "reason": given.reason.name()}),
        [("denial", given.denial().map(Denial::name))],
    )
}

fn context(given: &TenantContext) -> Value {
    with(
        json!({
            "user_id": given.user_id,
            "is_platform_admin": given.is_platform_admin,
            "is_system": given.is_system,
            "accessible_cluster_ids": given.accessible_cluster_ids,
            "current_is_personal_scope": given.current_is_personal_scope,
            "bypass": given.bypass,
            "has_org_context": given.has_org_context,
        }),
        [
            (
                "current_principal_id",
                given.current_principal_id.as_deref(),
            ),
            ("org_role", given.org_role.map(OrgRole::name)),
            ("write_principal_id", given.write_principal_id.as_deref()),
        ],
    )
}

fn permissions(given: &Permissions) -> Value {
    json!({
        "view": given.view,
        "read": given.read.name(),
        "create": given.create.name(),
        "update": given.update.name(),
        "delete": given.delete.name(),
    })
}

fn selection(given: &Selection) -> Value {
    match given {
        Selection::Everything => json!({"everything": true}),
        Selection::Nothing => json!({"nothing": true}),
        Selection::Condition(each) => json!({"condition": condition(each)}),
    }
}

fn condition(given: &Condition) -> Value {
    let all = |each: &[Condition]| each.iter().map(condition).collect::<Vec<_>>();
    match given {
        Condition::AllOf(each) => json!({"all_of": {"conditions": all(each)}}),
        Condition::AnyOf(each) => json!({"any_of": {"conditions": all(each)}}),
        Condition::Equals(field, value) => {
            json!({"equals": {"field": field.name(), "value": value}})
        }
        Condition::In(field, values) => json!({"in": {"field": field.name(), "values": values}}),
    }
}

fn sql(given: &SqlFilter) -> Value {
    let parameters = given.parameters.iter().map(|each| match each {
        SqlValue::Int64(number) => json!({"int64": number}),
        SqlValue::Text(text) => json!({"text": text}),
        SqlValue::Uuid(uuid) => json!({"uuid": uuid}),
        SqlValue::Int64Array(values) => json!({"int64_array": {"values": values}}),
        SqlValue::TextArray(values) => json!({"text_array": {"values": values}}),
        SqlValue::UuidArray(values) => json!({"uuid_array": {"values": values}}),
    });
    json!({"text": given.text, "parameters": parameters.collect::<Vec<_>>()})
}

/// The bare name of a gRPC status.
fn code(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn with<const N: usize>(told: Value, optional: [(&str, Option<&str>); N]) -> Value {
    let mut row = match told {
        Value::Object(row) => row,
        _ => Map::new(),
    };
    for (name, value) in optional {
        if let Some(value) = value {
            row.insert(name.to_owned(), json!(value));
        }
    }
    Value::Object(row)
}
