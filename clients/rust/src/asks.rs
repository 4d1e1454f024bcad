//! Each question of the API: how its message is sent, and how its answer is read.

use prost::Message;

use crate::answers::{
    Authorization, AvailableContexts, CheckedRole, Decisions, ListFilter, PermissionsList,
    ResolvedContext, RuleProblems, ServerInfo,
};
use crate::errors::Error;
use crate::questions::Consistency;
use crate::{filters, reading, v1};

/// A request of the API that has one answer.
pub trait Ask: Message + Clone + Sized + 'static {
    /// The message that the sidecar answers with.
    type Message: Message + Default + 'static;
    /// What it becomes, when it is one that a correct server gives.
    type Answer: Send + 'static;
    /// The path of the method.
    const PATH: &'static str;

    /// The answer to this request.
    ///
    /// # Errors
    /// `Error::Protocol`: no correct server sends such a message.
    fn read(&self, message: Self::Message) -> Result<Self::Answer, Error>;
}

/// A request that says how fresh its answer is to be.
pub trait AskFresh: Ask {
    /// Asks for an answer as fresh as this.
    fn set_consistency(&mut self, wanted: Consistency);
}

/// A request whose answer can say why.
pub trait AskWhy: Ask {
    /// Asks for the facts that decided.
    fn set_explain(&mut self);
}

macro_rules! ask {
    ($method:ident: $request:ident -> $message:ident -> $answer:ident, $read:expr) => {
        impl Ask for v1::$request {
            type Message = v1::$message;
            type Answer = $answer;
            const PATH: &'static str =
                concat!("/authz.v1.AuthorizationService/", stringify!($method));

            fn read(&self, message: v1::$message) -> Result<$answer, Error> {
                let read: fn(&Self, v1::$message) -> Result<$answer, Error> = $read;
                read(self, message)
            }
        }
    };
}

macro_rules! fresh {
    ($($request:ident)+) => {$(
        impl AskFresh for v1::$request {
            fn set_consistency(&mut self, wanted: Consistency) {
                self.consistency = Some(wanted.into());
            }
        }
    )+};
}

macro_rules! why {
    ($($request:ident)+) => {$(
        impl AskWhy for v1::$request {
            fn set_explain(&mut self) {
                self.explain = true;
            }
        }
    )+};
}

ask!(ResolveContext: ResolveContextRequest -> ResolveContextResponse -> ResolvedContext,
    |_, message| reading::resolved_context(message));
ask!(ListContexts: ListContextsRequest -> ListContextsResponse -> AvailableContexts,
    |_, message| reading::available_contexts(message));
ask!(CheckVisible: CheckVisibleRequest -> CheckVisibleResponse -> Decisions,
    |asked, told| reading::decisions(
        told.decisions, told.decision_id, told.revision, asked.resources.len()));
ask!(CheckWritable: CheckWritableRequest -> CheckWritableResponse -> Decisions,
    |asked, told| reading::decisions(
        told.decisions, told.decision_id, told.revision, asked.resources.len()));
ask!(CheckCreatable: CheckCreatableRequest -> CheckCreatableResponse -> Decisions,
    |asked, told| reading::decisions(
        told.decisions, told.decision_id, told.revision, asked.resources.len()));
ask!(CheckRole: CheckRoleRequest -> CheckRoleResponse -> CheckedRole,
    |_, message| reading::checked_role(message));
ask!(GetPermissions: GetPermissionsRequest -> GetPermissionsResponse -> PermissionsList,
    |asked, message| reading::permissions_list(message, asked.queries.len()));
ask!(Authorize: AuthorizeRequest -> AuthorizeResponse -> Authorization,
    |asked, message| reading::authorization(message, asked.requirements.len()));
ask!(GetListFilter: GetListFilterRequest -> GetListFilterResponse -> ListFilter,
    |asked, message| filters::list_filter(message, asked.sql.is_some()));
ask!(ValidateAccessRules:
    ValidateAccessRulesRequest -> ValidateAccessRulesResponse -> RuleProblems,
    |asked, message| reading::rule_problems(message, asked.rules.len()));
ask!(GetServerInfo: GetServerInfoRequest -> GetServerInfoResponse -> ServerInfo,
    |_, message| reading::server_info(message));

fresh!(ResolveContextRequest ListContextsRequest GetListFilterRequest);
fresh!(CheckVisibleRequest CheckWritableRequest CheckCreatableRequest CheckRoleRequest);
fresh!(GetPermissionsRequest AuthorizeRequest);
why!(CheckVisibleRequest CheckWritableRequest CheckCreatableRequest CheckRoleRequest);
why!(GetPermissionsRequest AuthorizeRequest);
