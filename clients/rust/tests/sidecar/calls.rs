//! Each call of the API once, and what is known of its answer.

use std::time::Duration;

use authz_client::{
    AccessLevel, AccessRule, Caller, Client, Error, NewResource, Operation, PermissionQuery,
    Placeholders, Requirement, Resource, RoleGate, RuleContext, SqlOptions,
};

/// The calls that can allow something.
pub const DECIDING: [&str; 8] = [
    "resolve_context",
    "check_visible",
    "check_writable",
    "check_creatable",
    "check_role",
    "get_permissions",
    "authorize",
    "get_list_filter",
];

/// The others: nothing may be done because of their answers.
pub const TELLING: [&str; 3] = ["list_contexts", "validate_access_rules", "server_info"];

pub fn ann() -> Caller {
    Caller::user("2").organization("20")
}

pub fn cluster(id: &str) -> Resource {
    Resource::new("cluster", id)
}

pub fn query() -> PermissionQuery {
    PermissionQuery::new(RuleContext::Data).item("data.User")
}

/// Asks, and leaves of the answer only that there was one.
pub async fn ask(client: &Client, call: &str, timeout: Duration) -> Result<(), Error> {
    let ann = &ann();
    match call {
        "resolve_context" => client.resolve_context(ann).timeout(timeout).await.map(drop),
        "list_contexts" => client.list_contexts(ann).timeout(timeout).await.map(drop),
        "check_visible" => {
            let question = client.check_visible(ann, [cluster("501")]);
            question.timeout(timeout).await.map(drop)
        }
        "check_writable" => {
            let question = client.check_writable(ann, [cluster("501")]).skip_visible();
            question.timeout(timeout).await.map(drop)
        }
        "check_creatable" => {
            let model = NewResource::owned_by("model", "20");
            let question = client.check_creatable(ann, [model]);
            question.timeout(timeout).await.map(drop)
        }
        "check_role" => {
            let question = client.check_role(ann, RoleGate::platform_admin());
            question.timeout(timeout).await.map(drop)
        }
        "get_permissions" => {
            let question = client.get_permissions(ann, [query()]);
            question.timeout(timeout).await.map(drop)
        }
        "authorize" => {
            let requirements = [
                Requirement::visible(cluster("501")),
                Requirement::permitted(query(), Operation::Read, AccessLevel::My),
            ];
            let question = client.authorize(ann, requirements);
            question.timeout(timeout).await.map(drop)
        }
        "get_list_filter" => {
            let sql = SqlOptions::new(Placeholders::Dollar);
            let question = client.get_list_filter(ann, "template").sql(sql);
            question.timeout(timeout).await.map(drop)
        }
        "validate_access_rules" => {
            let rule = AccessRule::new("r", RuleContext::Ui);
            let question = client.validate_access_rules([rule]);
            question.timeout(timeout).await.map(drop)
        }
        "server_info" => client.server_info().timeout(timeout).await.map(drop),
        _ => panic!("`{call}` is no call"),
    }
}
