//! The public words: each enum of the API without its unspecified member, so that an
//! answer that lacks a word cannot be mistaken for one that has it.
//!
//! Long, because it is a list.

use std::fmt;
use std::str::FromStr;

use crate::errors::Error;
use crate::v1;

/// A text that is no member of the enum that it was read as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word `{0}`")]
pub struct UnknownWord(String);

macro_rules! words {
    ($(#[$about:meta])* $name:ident of $wire:ident, $prefix:literal: $($(#[$doc:meta])* $word:ident,)+) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $word,)+
        }

        impl $name {
            /// Every one, in the order of the API.
            pub const EVERY: &'static [Self] = &[$(Self::$word,)+];

            /// The bare name, as in the API, JSON and logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                let name = v1::$wire::from(self).as_str_name();
                name.strip_prefix($prefix).unwrap_or(name)
            }

            #[allow(dead_code, reason = "some words are only asked with")]
            pub(crate) fn read(number: i32) -> Result<Self, Error> {
                match v1::$wire::try_from(number) {
                    $(Ok(v1::$wire::$word) => Ok(Self::$word),)+
                    _ => Err(Error::protocol(format!(
                        "the answer has {number} as {}", stringify!($name)
                    ))),
                }
            }
        }

        impl From<$name> for v1::$wire {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => Self::$word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let found = Self::EVERY.iter().find(|each| each.name() == text);
                found.copied().ok_or_else(|| UnknownWord(text.to_owned()))
            }
        }
    };
}

words! {
    /// The kind of a denial.
    Denial of Denial, "DENIAL_":
    /// The question makes no sense.
    Invalid,
    /// The caller is nobody that is known.
    Unauthenticated,
    /// The caller may not.
    Forbidden,
    /// There is no such thing, as far as the caller may know.
    NotFound,
}

impl Denial {
    /// The status for an HTTP response.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
        }
    }
}

words! {
    /// Why a decision allows or denies.
    #[non_exhaustive]
    Reason of Reason, "REASON_":
    /// Allowed: the current principal owns the resource.
    Owned,
    /// Allowed: the resource's cluster is granted in this context.
    Granted,
    /// Allowed: nobody owns the resource and its kind shows such rows to all.
    GlobalVisible,
    /// Allowed: the caller is a system user.
    BypassSystem,
    /// Allowed: the caller is a platform admin in All mode.
    BypassPlatformAdmin,
    /// Allowed: the caller is an admin of the organization that owns it.
    OrgAdmin,
    /// Allowed: the caller is a platform admin who acts in the organization.
    ActingPlatformAdmin,
    /// Allowed: the caller is a platform admin, as the gate demands.
    PlatformAdmin,
    /// Allowed: the caller has one of the organization roles that are demanded.
    OrgRole,
    /// Allowed: the caller's roles reach the level that is demanded.
    Permitted,
    /// Allowed: all requirements hold.
    AllHold,
    /// Denied: the credential or the user is not valid.
    InvalidCredential,
    /// Denied: the requested organization is not a well-formed id.
    InvalidOrganizationId,
    /// Denied: nobody declared this kind of resource.
    UnknownResourceKind,
    /// Denied: not a member of the requested organization.
    NotAMember,
    /// Denied: the requested principal is not a live organization.
    OrganizationNotFound,
    /// Denied: the resource does not exist, as far as the caller may know.
    ResourceNotFound,
    /// Denied: nobody owns the resource, so nobody acting in a tenant changes it.
    GlobalResource,
    /// Denied: another principal owns the resource.
    OtherOwner,
    /// Denied: the organization role does not suffice.
    InsufficientOrgRole,
    /// Denied: only platform admins may.
    PlatformAdminRequired,
    /// Denied: the caller acts in no organization.
    NoOrgContext,
    /// Denied: the caller's roles do not reach the level that is demanded.
    InsufficientPermission,
}

impl Reason {
    /// Whether this is a reason to allow; which is which is part of the contract.
    #[must_use]
    pub fn allows(self) -> bool {
        matches!(
            self,
            Self::Owned
                | Self::Granted
                | Self::GlobalVisible
                | Self::BypassSystem
                | Self::BypassPlatformAdmin
                | Self::OrgAdmin
                | Self::ActingPlatformAdmin
                | Self::PlatformAdmin
                | Self::OrgRole
                | Self::Permitted
                | Self::AllHold
        )
    }
}

words! {
    /// A member's role in an organization.
    OrgRole of OrgRole, "ORG_ROLE_":
    /// May change what the organization owns.
    Admin,
    /// May use what the organization owns.
    User,
}

words! {
    /// The area in which access rules hold.
    RuleContext of RuleContext, "RULE_CONTEXT_":
    /// Rows of data, with access levels.
    Data,
    /// Parts of a user interface; only view counts.
    Ui,
    /// Other resources; only view counts.
    Resource,
}

words! {
    /// How far an operation reaches, in rising order: compare with `>=`.
    #[derive(PartialOrd, Ord)]
    AccessLevel of AccessLevel, "ACCESS_LEVEL_":
    /// No rows.
    None,
    /// Rows that the user created.
    My,
    /// Rows of the organization.
    Group,
    /// All rows that tenancy lets through.
    All,
}

words! {
    /// What is to be done with an item.
    Operation of Operation, "OPERATION_":
    /// See that the item is there.
    View,
    /// Read rows.
    Read,
    /// Create rows.
    Create,
    /// Change rows.
    Update,
    /// Delete rows.
    Delete,
}

words! {
    /// What kind of tenant a context is.
    ContextKind of ContextKind, "CONTEXT_KIND_":
    /// The user's own principal.
    Personal,
    /// An organization.
    Organization,
    /// All mode: across all principals, without a current one.
    All,
    /// The principal of a pinned caller that is neither of these.
    Pinned,
}

words! {
    /// A column of your rows that a list filter may need.
    #[derive(PartialOrd, Ord)]
    Field of FilterField, "FILTER_FIELD_":
    /// The principal that owns the row.
    OwnerPrincipalId,
    /// The cluster to which the row belongs.
    ClusterId,
    /// The row's own id.
    Id,
    /// The user who created the row.
    CreatedBy,
    /// The organization to which the row belongs.
    OrganizationId,
}

words! {
    /// How SQL parameters are written.
    Placeholders of PlaceholderStyle, "PLACEHOLDER_STYLE_":
    /// `$1`; lists are one array parameter.
    Dollar,
    /// `%s`; lists are one array parameter.
    Format,
    /// `?`; lists are one parameter for each value.
    Question,
    /// `:p1`; lists are one parameter for each value.
    Named,
}

words! {
    /// What can be wrong with an access rule.
    #[non_exhaustive]
    RuleFault of AccessRuleFault, "ACCESS_RULE_FAULT_":
    /// A DATA rule without a read level.
    ReadMissing,
    /// Create, update or delete reaches further than read.
    ExceedsRead,
    /// The item is empty, or has an empty segment or a blank.
    MalformedItem,
    /// The same role, context and item as an earlier rule.
    Duplicate,
    /// The level is none that is known.
    UnknownLevel,
    /// The context is none that is known.
    UnknownContext,
    /// View is not set.
    ViewMissing,
}

words! {
    /// Something that not every listener serves.
    #[non_exhaustive]
    #[derive(PartialOrd, Ord)]
    Feature of OptionalFeature, "OPTIONAL_FEATURE_":
    /// Requests with `explain`.
    Explain,
    /// The call `Watch`.
    Watch,
    /// Callers that are named and believed.
    NamedCallers,
    /// Callers that present an API key.
    ApiKeys,
    /// Callers that present an access token.
    AccessTokens,
    /// gRPC server reflection.
    Reflection,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_bare_names() {
        assert_eq!("NOT_FOUND", Denial::NotFound.name());
        assert_eq!("UI", RuleContext::Ui.to_string());
        assert_eq!(Ok(Reason::NotAMember), "NOT_A_MEMBER".parse());
        assert!("UNSPECIFIED".parse::<OrgRole>().is_err());
    }

    #[test]
    fn the_unspecified_and_the_unknown_are_no_words() {
        for number in [0, 17, -1, i32::MAX] {
            assert!(matches!(AccessLevel::read(number), Err(Error::Protocol(_))));
        }
    }

    #[test]
    fn levels_rise() {
        let levels = AccessLevel::EVERY;

        assert!(levels.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn each_reason_of_a_decision_allows_or_denies_as_its_number_says() {
        for each in Reason::EVERY {
            let number = v1::Reason::from(*each) as i32;

            assert_eq!(number < 20, each.allows(), "{each}");
        }
    }
}
