//! The Rust client of authz-sidecar. An error never reads as allowed, nor does an answer
//! by accident.
//!
//! ```no_run
//! use authz_client::{Caller, Client, Resource};
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("unix:authz.sock")?;
//! let ann = Caller::user("2").organization("20");
//! for decision in &client.check_visible(&ann, [Resource::new("cluster", "7")]).await? {
//!     println!("{} {}", decision.allowed(), decision.reason);
//! }
//! client.check_visible(&ann, [Resource::new("cluster", "7")]).require().await?;
//! # Ok(())
//! # }
//! ```

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod answers;
mod asks;
mod attempts;
#[cfg(feature = "axum")]
pub mod axum;
mod channels;
mod client;
mod codec;
mod errors;
mod filters;
mod questions;
mod reading;
mod watch;
mod words;

/// The messages and stubs of `authz.v1`, as generated from the API's definition.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("authz.v1");
}

pub use answers::{
    Authorization, AvailableContext, AvailableContexts, Change, CheckedRole, Condition, Decision,
    Decisions, ListFilter, Permissions, PermissionsList, Position, ResolvedContext, RuleProblem,
    RuleProblems, Selection, ServerInfo, SqlFilter, SqlValue, TenantContext, Verdict, WatchEvent,
};
pub use asks::{Ask, AskFresh, AskWhy};
pub use attempts::Retry;
pub use channels::{ConnectError, Tls};
pub use client::{Builder, Client, Question};
pub use errors::{Denied, Error, Told};
pub use questions::{
    AccessRule, Attributes, Caller, Consistency, NewResource, PermissionQuery, Requirement,
    Resource, RoleGate, SqlOptions,
};
pub use tonic::Code;
pub use watch::Watch;
pub use words::{
    AccessLevel, ContextKind, Denial, Feature, Field, Operation, OrgRole, Placeholders, Reason,
    RuleContext, RuleFault, UnknownWord,
};
