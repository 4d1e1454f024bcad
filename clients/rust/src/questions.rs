//! Who asks, and about what: values that hold the messages that they become.
//!
//! Long, because it is a list: one small value for each message of the API.

use std::fmt;

use crate::v1;
use crate::v1::caller::Identity;
use crate::words::{AccessLevel, Field, Operation, OrgRole, Placeholders, RuleContext};

/// Who a question is about. What it prints shows no credential.
#[derive(Clone, PartialEq)]
#[must_use]
pub struct Caller(v1::Caller);

impl Caller {
    /// A user by id.
    pub fn user(user_id: impl Into<String>) -> Self {
        Self::of(Identity::UserId(user_id.into()))
    }

    /// A user by their name at an identity provider.
    pub fn subject(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self::of(Identity::Subject(v1::Subject {
            issuer: issuer.into(),
            subject: subject.into(),
        }))
    }

    /// Whoever owns an API key, which the sidecar checks.
    pub fn api_key(api_key: impl Into<String>) -> Self {
        Self::of(Identity::ApiKey(api_key.into()))
    }

    /// Whoever a JWT names, which the sidecar checks.
    pub fn access_token(access_token: impl Into<String>) -> Self {
        Self::of(Identity::AccessToken(access_token.into()))
    }

    /// In this organization: the raw value of `X-Organization-Id`; empty means that
    /// none is requested.
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.0.organization_id = Some(organization.into());
        self
    }

    /// Pinned to the principal of a key that you checked. The sidecar refuses it with a
    /// credential.
    pub fn pinned_to(mut self, principal_id: impl Into<String>) -> Self {
        self.0.pinned_principal_id = Some(principal_id.into());
        self
    }

    fn of(identity: Identity) -> Self {
        Self(v1::Caller {
            identity: Some(identity),
            ..v1::Caller::default()
        })
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = out.debug_struct("Caller");
        match &self.0.identity {
            Some(Identity::UserId(user_id)) => told.field("user_id", user_id),
            Some(Identity::Subject(subject)) => told.field("subject", subject),
            Some(Identity::ApiKey(_)) => told.field("api_key", &"..."),
            Some(Identity::AccessToken(_)) => told.field("access_token", &"..."),
            None => &mut told,
        };
        told.field("organization", &self.0.organization_id)
            .field("pinned_to", &self.0.pinned_principal_id)
            .finish()
    }
}

impl From<Caller> for v1::Caller {
    fn from(caller: Caller) -> Self {
        caller.0
    }
}

/// How fresh an answer is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// From memory; the default.
    MinimizeLatency,
    /// Each fact at least as fresh as this revision.
    AtLeastAsFresh(String),
    /// All facts from one snapshot of the database.
    FullyConsistent,
}

impl From<Consistency> for v1::Consistency {
    fn from(wanted: Consistency) -> Self {
        use v1::consistency::Requirement;
        let requirement = match wanted {
            Consistency::MinimizeLatency => Requirement::MinimizeLatency(true),
            Consistency::AtLeastAsFresh(revision) => Requirement::AtLeastAsFresh(revision),
            Consistency::FullyConsistent => Requirement::FullyConsistent(true),
        };
        Self {
            requirement: Some(requirement),
        }
    }
}

/// An existing row as you read it.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Attributes(v1::ResourceAttributes);

impl Attributes {
    /// A row that a principal owns.
    pub fn owned_by(principal_id: impl Into<String>) -> Self {
        use v1::resource_attributes::Owner;
        Self::of(Some(Owner::OwnerPrincipalId(principal_id.into())))
    }

    /// A row that nobody owns.
    pub fn unowned() -> Self {
        Self::of(Some(v1::resource_attributes::Owner::Global(true)))
    }

    /// A row of a kind that carries no owner; refused for other kinds.
    pub fn without_owner() -> Self {
        Self::of(None)
    }

    /// The row belongs to this cluster.
    pub fn in_cluster(mut self, cluster_id: impl Into<String>) -> Self {
        self.0.cluster_id = Some(cluster_id.into());
        self
    }

    fn of(owner: Option<v1::resource_attributes::Owner>) -> Self {
        Self(v1::ResourceAttributes {
            owner,
            cluster_id: None,
        })
    }
}

/// A row; without attributes the sidecar looks it up.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Resource(v1::Resource);

impl Resource {
    /// A row of a kind, by its id.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self(v1::Resource {
            kind: kind.into(),
            id: id.into(),
            attributes: None,
        })
    }

    /// The row as you read it, so that the sidecar need not look it up.
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.0.attributes = Some(attributes.0);
        self
    }
}

impl From<Resource> for v1::Resource {
    fn from(resource: Resource) -> Self {
        resource.0
    }
}

/// A row that is to be created.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct NewResource(v1::NewResource);

impl NewResource {
    /// A row that a principal is to own.
    pub fn owned_by(kind: impl Into<String>, principal_id: impl Into<String>) -> Self {
        use v1::new_resource::Owner;
        Self::of(kind, Some(Owner::OwnerPrincipalId(principal_id.into())))
    }

    /// A row that nobody is to own.
    pub fn unowned(kind: impl Into<String>) -> Self {
        Self::of(kind, Some(v1::new_resource::Owner::Global(true)))
    }

    /// A row of a kind that carries no owner; refused for other kinds.
    pub fn without_owner(kind: impl Into<String>) -> Self {
        Self::of(kind, None)
    }

    fn of(kind: impl Into<String>, owner: Option<v1::new_resource::Owner>) -> Self {
        Self(v1::NewResource {
            kind: kind.into(),
            owner,
        })
    }
}

impl From<NewResource> for v1::NewResource {
    fn from(resource: NewResource) -> Self {
        resource.0
    }
}

/// A condition on the caller alone.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RoleGate(v1::RoleGate);

impl RoleGate {
    /// The gate that only platform admins pass.
    pub fn platform_admin() -> Self {
        Self(v1::RoleGate {
            gate: Some(v1::role_gate::Gate::PlatformAdmin(true)),
        })
    }

    /// The gate for some roles in the current organization.
    pub fn any_of(roles: impl IntoIterator<Item = OrgRole>) -> Self {
        let roles = roles.into_iter().map(|role| v1::OrgRole::from(role).into());
        let roles = v1::OrgRoles {
            roles: roles.collect(),
        };
        Self(v1::RoleGate {
            gate: Some(v1::role_gate::Gate::AnyOfOrgRoles(roles)),
        })
    }
}

impl From<RoleGate> for v1::RoleGate {
    fn from(gate: RoleGate) -> Self {
        gate.0
    }
}

/// What the caller's roles allow on an item; without one only generic rules match.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct PermissionQuery(v1::PermissionQuery);

impl PermissionQuery {
    /// A query in an area.
    pub fn new(context: RuleContext) -> Self {
        Self(v1::PermissionQuery {
            context: v1::RuleContext::from(context).into(),
            item: None,
            feature_instance_id: None,
        })
    }

    /// About this item.
    pub fn item(mut self, item: impl Into<String>) -> Self {
        self.0.item = Some(item.into());
        self
    }

    /// Where the roles of this feature instance count too.
    pub fn feature_instance(mut self, id: impl Into<String>) -> Self {
        self.0.feature_instance_id = Some(id.into());
        self
    }
}

impl From<PermissionQuery> for v1::PermissionQuery {
    fn from(query: PermissionQuery) -> Self {
        query.0
    }
}

/// One condition of `authorize`.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Requirement(v1::Requirement);

impl Requirement {
    /// This resource is visible.
    pub fn visible(resource: Resource) -> Self {
        Self::of(v1::requirement::Requirement::Visible(resource.0))
    }

    /// This resource is writable.
    pub fn writable(resource: Resource) -> Self {
        Self::of_writable(resource, false)
    }

    /// This resource is writable, and it was checked already that it is visible.
    pub fn writable_as_visible(resource: Resource) -> Self {
        Self::of_writable(resource, true)
    }

    /// This resource may be created.
    pub fn creatable(resource: NewResource) -> Self {
        Self::of(v1::requirement::Requirement::Creatable(resource.0))
    }

    /// The caller passes this gate.
    pub fn in_role(gate: RoleGate) -> Self {
        Self::of(v1::requirement::Requirement::Role(gate.0))
    }

    /// The caller's roles allow an operation, at least so far; `View` takes no level.
    pub fn permitted(
        query: PermissionQuery,
        operation: Operation,
        least: impl Into<Option<AccessLevel>>,
    ) -> Self {
        let requirement = v1::PermissionRequirement {
            query: Some(query.0),
            operation: v1::Operation::from(operation).into(),
            least_level: level(least.into()),
        };
        Self::of(v1::requirement::Requirement::Permission(requirement))
    }

    fn of_writable(resource: Resource, skip_visible: bool) -> Self {
        let requirement = v1::WritableRequirement {
            resource: Some(resource.0),
            skip_visible,
        };
        Self::of(v1::requirement::Requirement::Writable(requirement))
    }

    fn of(requirement: v1::requirement::Requirement) -> Self {
        Self(v1::Requirement {
            requirement: Some(requirement),
        })
    }
}

impl From<Requirement> for v1::Requirement {
    fn from(requirement: Requirement) -> Self {
        requirement.0
    }
}

/// How a filter's SQL is to look.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct SqlOptions(v1::SqlOptions);

impl SqlOptions {
    /// With parameters that are written like this, counted from 1.
    pub fn new(placeholders: Placeholders) -> Self {
        Self(v1::SqlOptions {
            columns: Vec::new(),
            placeholder_style: v1::PlaceholderStyle::from(placeholders).into(),
            first_parameter: 1,
        })
    }

    /// The column of a field, such as `m.owner_id`.
    pub fn column(mut self, field: Field, column: impl Into<String>) -> Self {
        self.0.columns.push(v1::SqlColumn {
            field: v1::FilterField::from(field).into(),
            column: column.into(),
        });
        self
    }

    /// The number of the first parameter.
    pub fn first_parameter(mut self, number: u32) -> Self {
        self.0.first_parameter = number;
        self
    }
}

impl From<SqlOptions> for v1::SqlOptions {
    fn from(options: SqlOptions) -> Self {
        options.0
    }
}

/// A rule to be validated; it shows nothing, and its levels are unset.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct AccessRule(v1::AccessRule);

impl AccessRule {
    /// A generic rule of a role.
    pub fn new(role_id: impl Into<String>, context: RuleContext) -> Self {
        Self(v1::AccessRule {
            role_id: role_id.into(),
            context: v1::RuleContext::from(context).into(),
            ..v1::AccessRule::default()
        })
    }

    /// For this item.
    pub fn item(mut self, item: impl Into<String>) -> Self {
        self.0.item = Some(item.into());
        self
    }

    /// Whether the item may be seen.
    pub fn view(mut self, view: bool) -> Self {
        self.0.view = view;
        self
    }

    /// How far reading reaches.
    pub fn read(mut self, reach: AccessLevel) -> Self {
        self.0.read = level(Some(reach));
        self
    }

    /// How far creating reaches.
    pub fn create(mut self, reach: AccessLevel) -> Self {
        self.0.create = level(Some(reach));
        self
    }

    /// How far updating reaches.
    pub fn update(mut self, reach: AccessLevel) -> Self {
        self.0.update = level(Some(reach));
        self
    }

    /// How far deleting reaches.
    pub fn delete(mut self, reach: AccessLevel) -> Self {
        self.0.delete = level(Some(reach));
        self
    }
}

impl From<AccessRule> for v1::AccessRule {
    fn from(rule: AccessRule) -> Self {
        rule.0
    }
}

fn level(level: Option<AccessLevel>) -> i32 {
    level
        .map_or(v1::AccessLevel::Unspecified, v1::AccessLevel::from)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_prints_no_credential() {
        let printed = [Caller::api_key("hunter2"), Caller::access_token("hunter2")]
            .map(|caller| format!("{:?}", caller.organization("20")));

        assert!(
            printed
                .iter()
                .all(|each| !each.contains("hunter2") && each.contains("20"))
        );
    }
}
