//! Answers, as values that can only be made from what a correct server says.
//!
//! Long, because it is a list: one small value for each message of the API.

use std::collections::BTreeSet;
use std::ops::Index;
use std::slice::Iter;
use std::time::Duration;

use crate::errors::Denied;
use crate::v1;
use crate::words::{
    AccessLevel, ContextKind, Denial, Feature, Field, Operation, OrgRole, Reason, RuleFault,
};

/// The answer to one check. That there is one does not say that it allows.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a decision that nobody looks at may be a denial"]
#[non_exhaustive]
pub struct Decision {
    pub(crate) denial: Option<Denial>,
    /// Why.
    pub reason: Reason,
    /// The same for people.
    pub message: String,
    /// Names the decision in logs.
    pub decision_id: String,
    /// The facts that decided, when asked for.
    pub explanation: Option<v1::Explanation>,
}

impl Decision {
    /// Whether it is allowed.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.denial.is_none() && self.reason.allows()
    }

    /// The kind of the denial; none exactly when it is allowed.
    #[must_use]
    pub fn denial(&self) -> Option<Denial> {
        match self.denial {
            None if !self.allowed() => Some(Denial::Forbidden),
            denial => denial,
        }
    }

    /// Nothing when allowed.
    ///
    /// # Errors
    /// It is denied.
    pub fn require(&self) -> Result<(), Denied> {
        match self.denial() {
            None => Ok(()),
            Some(denial) => Err(Denied {
                denial,
                reason: Some(self.reason),
                message: self.message.clone(),
                decision_id: self.decision_id.clone(),
            }),
        }
    }
}

/// An answer that decides.
pub trait Verdict {
    /// Nothing when all that was asked is allowed.
    ///
    /// # Errors
    /// The first denial.
    fn require(&self) -> Result<(), Denied>;
}

/// One decision for each question, in their order, at least one.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "decisions that nobody looks at may be denials"]
#[non_exhaustive]
pub struct Decisions {
    pub(crate) each: Vec<Decision>,
    /// Names this answer in logs.
    pub decision_id: String,
    /// The answer reflects at least every change up to here.
    pub revision: Option<String>,
}

impl Decisions {
    /// Whether every one is allowed; nothing at all is not allowed.
    #[must_use]
    pub fn all_allowed(&self) -> bool {
        !self.each.is_empty() && self.each.iter().all(Decision::allowed)
    }

    /// The decisions.
    pub fn as_slice(&self) -> &[Decision] {
        &self.each
    }

    /// Each decision.
    pub fn iter(&self) -> Iter<'_, Decision> {
        self.each.iter()
    }

    /// Nothing when all are allowed.
    ///
    /// # Errors
    /// The first denial.
    pub fn require(&self) -> Result<(), Denied> {
        self.each.iter().try_for_each(Decision::require)?;
        if self.all_allowed() {
            return Ok(());
        }
        Err(Denied {
            denial: Denial::Forbidden,
            reason: None,
            message: "nothing was decided".to_owned(),
            decision_id: String::new(),
        })
    }
}

impl Verdict for Decisions {
    fn require(&self) -> Result<(), Denied> {
        self.require()
    }
}

impl Index<usize> for Decisions {
    type Output = Decision;

    fn index(&self, index: usize) -> &Decision {
        &self.each[index]
    }
}

impl<'a> IntoIterator for &'a Decisions {
    type Item = &'a Decision;
    type IntoIter = Iter<'a, Decision>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// As which tenant a caller acts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // they are those of the API
#[non_exhaustive]
pub struct TenantContext {
    /// The user.
    pub user_id: String,
    /// Whether the user administers the platform.
    pub is_platform_admin: bool,
    /// Whether the user is a service account of the platform.
    pub is_system: bool,
    /// The principal as which the user acts; none in All mode.
    pub current_principal_id: Option<String>,
    /// The role in the current organization.
    pub org_role: Option<OrgRole>,
    /// The clusters granted to the user in this context, sorted.
    pub accessible_cluster_ids: Vec<String>,
    /// Whether the user acts as their own principal.
    pub current_is_personal_scope: bool,
    /// Whether every existing resource is visible and writable.
    pub bypass: bool,
    /// Whether there is a current principal.
    pub has_org_context: bool,
    /// The owner of what the caller creates.
    pub write_principal_id: Option<String>,
}

/// A tenant context, and how fresh it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct ResolvedContext {
    /// The context.
    pub context: TenantContext,
    /// The answer reflects at least every change up to here.
    pub revision: Option<String>,
}

/// One tenant as which a caller may act.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AvailableContext {
    /// Which kind of context it is.
    pub kind: ContextKind,
    /// The principal; none for All mode.
    pub principal_id: Option<String>,
    /// The role in the organization.
    pub org_role: Option<OrgRole>,
    /// The principal's name, for people.
    pub name: String,
}

/// Personal scope first, then organizations by id, then All mode.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct AvailableContexts {
    /// The contexts.
    pub contexts: Vec<AvailableContext>,
    /// The answer reflects at least every change up to here.
    pub revision: Option<String>,
}

/// The decision of a role gate.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a decision that nobody looks at may be a denial"]
#[non_exhaustive]
pub struct CheckedRole {
    /// The decision.
    pub decision: Decision,
    /// Names this answer in logs.
    pub decision_id: String,
    /// The answer reflects at least every change up to here.
    pub revision: Option<String>,
}

impl CheckedRole {
    /// Whether the caller passes.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.decision.allowed()
    }

    /// Nothing when the caller passes.
    ///
    /// # Errors
    /// They do not.
    pub fn require(&self) -> Result<(), Denied> {
        self.decision.require()
    }
}

impl Verdict for CheckedRole {
    fn require(&self) -> Result<(), Denied> {
        self.require()
    }
}

/// The verdict on all requirements, and on each in their order.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a decision that nobody looks at may be a denial"]
#[non_exhaustive]
pub struct Authorization {
    /// Allowed when all requirements hold.
    pub decision: Decision,
    /// One for each requirement.
    pub decisions: Vec<Decision>,
    /// The tenant context that decided; none when it did not resolve.
    pub context: Option<TenantContext>,
    /// Names this answer in logs.
    pub decision_id: String,
    /// The answer reflects at least every change up to here.
    pub revision: Option<String>,
}

impl Authorization {
    /// Whether all requirements hold.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.decision.allowed()
    }

    /// Nothing when all requirements hold.
    ///
    /// # Errors
    /// One does not.
    pub fn require(&self) -> Result<(), Denied> {
        self.decision.require()
    }
}

impl Verdict for Authorization {
    fn require(&self) -> Result<(), Denied> {
        self.require()
    }
}

/// What roles allow on one item.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct Permissions {
    /// Whether the item may be seen.
    pub view: bool,
    /// How far reading reaches.
    pub read: AccessLevel,
    /// How far creating reaches.
    pub create: AccessLevel,
    /// How far updating reaches.
    pub update: AccessLevel,
    /// How far deleting reaches.
    pub delete: AccessLevel,
    /// Why, when asked for.
    pub explanation: Option<v1::PermissionExplanation>,
}

impl Permissions {
    /// How far an operation reaches; viewing reaches everything or nothing.
    #[must_use]
    pub fn level(&self, operation: Operation) -> AccessLevel {
        match operation {
            Operation::View if self.view => AccessLevel::All,
            Operation::View => AccessLevel::None,
            Operation::Read => self.read,
            Operation::Create => self.create,
            Operation::Update => self.update,
            Operation::Delete => self.delete,
        }
    }
}

/// The permissions for each query, in their order.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct PermissionsList {
    /// The permissions.
    pub permissions: Vec<Permissions>,
    /// Names this answer in logs.
    pub decision_id: String,
    /// The answer reflects at least every change up to here.
    pub revision: Option<String>,
}

/// Which rows may be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Selection {
    /// Every row.
    Everything,
    /// No row.
    Nothing,
    /// The rows for which this holds.
    Condition(Condition),
}

/// A condition on rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Condition {
    /// All of these hold; at least two.
    AllOf(Vec<Condition>),
    /// Any of these holds; at least two.
    AnyOf(Vec<Condition>),
    /// A field has this value.
    Equals(Field, String),
    /// A field has one of these values; at least one.
    In(Field, Vec<String>),
}

/// One parameter of SQL, of the type of the column that it is compared to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    /// For integer columns.
    Int64(i64),
    /// For text columns.
    Text(String),
    /// For uuid columns, in canonical form.
    Uuid(String),
    /// For integer columns, several.
    Int64Array(Vec<i64>),
    /// For text columns, several.
    TextArray(Vec<String>),
    /// For uuid columns, several, in canonical form.
    UuidArray(Vec<String>),
}

/// A filter as a SQL condition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct SqlFilter {
    /// The condition, in parentheses or `TRUE` or `FALSE`.
    pub text: String,
    /// Its parameters, in order.
    pub parameters: Vec<SqlValue>,
}

/// Which rows a caller may list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct ListFilter {
    /// The rows.
    pub selection: Selection,
    /// The same as SQL, when asked for.
    pub sql: Option<SqlFilter>,
    /// The answer reflects at least every change up to here.
    pub revision: Option<String>,
}

/// One thing that is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleProblem {
    /// The rule, counted from 0.
    pub rule_index: usize,
    /// The field, such as `update`.
    pub field: String,
    /// What is wrong.
    pub reason: RuleFault,
    /// The same for people.
    pub message: String,
}

/// What is wrong with rules; none means that they may be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct RuleProblems {
    /// The problems, in the order of the rules.
    pub problems: Vec<RuleProblem>,
}

/// How much a server has told or heard; only of one server have they an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// One life of one listener of a server.
    pub server: String,
    /// Grows with all that is heard.
    pub number: u64,
}

/// What a server is; the last three are none where it serves no `watch`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct ServerInfo {
    /// The sidecar's version.
    pub version: String,
    /// What speaks HTTP/2 on this listener.
    pub engine: String,
    /// SHA-256 over the effective settings without secrets.
    pub configuration_digest: String,
    /// The newest migration of the schema in the database.
    pub schema_version: Option<u32>,
    /// What this listener serves, of what is known here.
    pub features: BTreeSet<Feature>,
    /// How much the server has heard.
    pub position: Option<Position>,
    /// How far behind the database the server may be.
    pub staleness: Option<Duration>,
    /// For how long without a proof of freshness facts from memory may answer.
    pub max_staleness: Option<Duration>,
}

/// A fact that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The group of facts.
    pub group: String,
    /// The key within it; without one the whole group changed.
    pub key: Option<String>,
    /// The revision of the transaction; empty where the database tells none.
    pub revision: String,
}

/// One message of the stream of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum WatchEvent {
    /// Facts that changed in one transaction, or in a part of it.
    Changes(Vec<Change>),
    /// Changes may have been missed.
    DropEverything {
        /// The revision from which the stream goes on.
        revision: Option<String>,
    },
    /// A proof of life.
    Beat {
        /// The revision up to which all changes were sent; empty where there is none.
        revision: String,
        /// How far behind the database the server may be.
        staleness: Option<Duration>,
        /// What the stream has told.
        position: Option<Position>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(denial: Option<Denial>, reason: Reason) -> Decision {
        Decision {
            denial,
            reason,
            message: "told".to_owned(),
            decision_id: "d.0".to_owned(),
            explanation: None,
        }
    }

    #[test]
    fn nothing_at_all_is_not_allowed() {
        let none = Decisions {
            each: Vec::new(),
            decision_id: "d".to_owned(),
            revision: None,
        };

        assert!(!none.all_allowed());
        assert!(none.require().is_err());
    }

    #[test]
    fn one_denial_among_many_denies() {
        let several = Decisions {
            each: vec![
                decision(None, Reason::Owned),
                decision(Some(Denial::NotFound), Reason::ResourceNotFound),
            ],
            decision_id: "d".to_owned(),
            revision: None,
        };

        assert!(!several.all_allowed());
        assert_eq!(
            Some(Denial::NotFound),
            several.require().err().map(|denied| denied.denial)
        );
    }

    #[test]
    fn a_contradiction_denies() {
        let odd = decision(None, Reason::OtherOwner);

        assert!(!odd.allowed());
        assert_eq!(Some(Denial::Forbidden), odd.denial());
    }
}
