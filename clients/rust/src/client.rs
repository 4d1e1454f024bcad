//! The client: who is asked, and how a question is put.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::answers::Verdict;
use crate::asks::{Ask, AskFresh, AskWhy};
use crate::attempts::{Attempts, Budget, Retry};
use crate::channels::{self, ConnectError, Tls};
use crate::codec::Strict;
use crate::errors::Error;
use crate::questions::{
    AccessRule, Caller, Consistency, NewResource, PermissionQuery, Requirement, Resource, RoleGate,
    SqlOptions,
};
use crate::v1;
use crate::watch::Watch;

const TIMEOUT: Duration = Duration::from_secs(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// How a client is made.
#[must_use]
pub struct Builder {
    target: String,
    tls: Option<Tls>,
    timeout: Duration,
    retry: Retry,
}

impl Builder {
    /// Speaks TLS; without, the connection is in the clear.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// For each call, repetitions included; one second unless said otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// When a call is made again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// A client; the connection is made with the first question.
    ///
    /// # Errors
    /// The target or a file is not usable, or there is no Tokio runtime.
    pub fn connect(self) -> Result<Client, ConnectError> {
        Ok(Client {
            channel: channels::open(&self.target, self.tls)?,
            timeout: self.timeout,
            budget: Arc::new(Budget::new(self.retry)),
        })
    }
}

/// Asks a sidecar. A clone shares its connection and its budget.
///
/// Every question gives an [`Error`] when there is no answer, within its deadline. `Ok`
/// means that there is an answer, not that it allows: look at `allowed()`, or ask with
/// [`Question::require`], where `Ok` means both.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    timeout: Duration,
    budget: Arc<Budget>,
}

impl Client {
    /// A client of `unix:/run/authz/authz.sock` or `host:port`, in the clear.
    ///
    /// # Errors
    /// The target is not usable, or there is no Tokio runtime.
    pub fn connect(target: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder(target).connect()
    }

    /// The same with settings.
    pub fn builder(target: impl Into<String>) -> Builder {
        Builder {
            target: target.into(),
            tls: None,
            timeout: TIMEOUT,
            retry: Retry::default(),
        }
    }

    /// As which tenant the caller acts; an error where as none.
    pub fn resolve_context(&self, caller: &Caller) -> Question<'_, v1::ResolveContextRequest> {
        self.ask(v1::ResolveContextRequest {
            caller: sent(caller),
            consistency: None,
        })
    }

    /// The tenants as which the caller may act.
    pub fn list_contexts(&self, caller: &Caller) -> Question<'_, v1::ListContextsRequest> {
        self.ask(v1::ListContextsRequest {
            caller: sent(caller),
            consistency: None,
        })
    }

    /// Whether the caller may see each resource; 1 to 1,000.
    pub fn check_visible(
        &self,
        caller: &Caller,
        resources: impl IntoIterator<Item = Resource>,
    ) -> Question<'_, v1::CheckVisibleRequest> {
        self.ask(v1::CheckVisibleRequest {
            caller: sent(caller),
            resources: all(resources),
            ..Default::default()
        })
    }

    /// Whether the caller may change each resource; 1 to 1,000.
    pub fn check_writable(
        &self,
        caller: &Caller,
        resources: impl IntoIterator<Item = Resource>,
    ) -> Question<'_, v1::CheckWritableRequest> {
        self.ask(v1::CheckWritableRequest {
            caller: sent(caller),
            resources: all(resources),
            ..Default::default()
        })
    }

    /// Whether the caller may create each resource; 1 to 1,000.
    pub fn check_creatable(
        &self,
        caller: &Caller,
        resources: impl IntoIterator<Item = NewResource>,
    ) -> Question<'_, v1::CheckCreatableRequest> {
        self.ask(v1::CheckCreatableRequest {
            caller: sent(caller),
            resources: all(resources),
            ..Default::default()
        })
    }

    /// Whether the caller passes a gate.
    pub fn check_role(
        &self,
        caller: &Caller,
        gate: RoleGate,
    ) -> Question<'_, v1::CheckRoleRequest> {
        self.ask(v1::CheckRoleRequest {
            caller: sent(caller),
            gate: Some(gate.into()),
            ..Default::default()
        })
    }

    /// What the caller's roles allow for each query; 1 to 1,000.
    pub fn get_permissions(
        &self,
        caller: &Caller,
        queries: impl IntoIterator<Item = PermissionQuery>,
    ) -> Question<'_, v1::GetPermissionsRequest> {
        self.ask(v1::GetPermissionsRequest {
            caller: sent(caller),
            queries: all(queries),
            ..Default::default()
        })
    }

    /// Whether all requirements hold; 1 to 32.
    pub fn authorize(
        &self,
        caller: &Caller,
        requirements: impl IntoIterator<Item = Requirement>,
    ) -> Question<'_, v1::AuthorizeRequest> {
        self.ask(v1::AuthorizeRequest {
            caller: sent(caller),
            requirements: all(requirements),
            ..Default::default()
        })
    }

    /// Which rows of a kind the caller may list.
    pub fn get_list_filter(
        &self,
        caller: &Caller,
        kind: impl Into<String>,
    ) -> Question<'_, v1::GetListFilterRequest> {
        self.ask(v1::GetListFilterRequest {
            caller: sent(caller),
            kind: kind.into(),
            ..Default::default()
        })
    }

    /// What is wrong with rules before they are stored; 1 to 1,000.
    pub fn validate_access_rules(
        &self,
        rules: impl IntoIterator<Item = AccessRule>,
    ) -> Question<'_, v1::ValidateAccessRulesRequest> {
        self.ask(v1::ValidateAccessRulesRequest { rules: all(rules) })
    }

    /// What the server is, and what it serves on this listener.
    pub fn server_info(&self) -> Question<'_, v1::GetServerInfoRequest> {
        self.ask(v1::GetServerInfoRequest {})
    }

    /// What changes from now on, or after a revision, as one stream without a deadline.
    ///
    /// # Errors
    /// The server does not begin it.
    pub async fn watch(&self, after_revision: Option<String>) -> Result<Watch, Error> {
        Watch::begin(self.channel.clone(), v1::WatchRequest { after_revision }).await
    }

    /// Any request, as a message that you made; its answer is read as strictly.
    pub fn ask<R: Ask>(&self, request: R) -> Question<'_, R> {
        Question {
            client: self,
            request,
            timeout: self.timeout,
        }
    }

    async fn send<R: Ask>(&self, request: R, left: Duration) -> Result<R::Message, Status> {
        let mut grpc = Grpc::new(self.channel.clone());
        let ready = grpc.ready().await;
        ready.map_err(|error| Status::from_error(Box::new(error)))?;
        let mut request = Request::new(request);
        request.set_timeout(left);
        let path = PathAndQuery::from_static(R::PATH);
        let answer = grpc.unary(request, path, Strict::<R, R::Message>::default());
        Ok(answer.await?.into_inner())
    }
}

/// A question that is asked when it is awaited.
#[must_use = "a question is asked when it is awaited"]
pub struct Question<'c, R> {
    client: &'c Client,
    request: R,
    timeout: Duration,
}

impl<R: Ask> Question<'_, R> {
    /// How long to wait for the answer, instead of the client's timeout.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn answer(self) -> Result<R::Answer, Error> {
        let budget = &self.client.budget;
        let deadline = Instant::now() + self.timeout.min(LONGEST_TIMEOUT);
        let mut attempts = Attempts::new(budget, deadline);
        loop {
            let attempt = self
                .client
                .send(self.request.clone(), attempts.remaining()?);
            let told = match timeout_at(deadline, attempt).await {
                Ok(Ok(message)) => self.request.read(message),
                Ok(Err(status)) => Err(Error::of(&status)),
                Err(_) => Err(Error::deadline()),
            };
            match told {
                Ok(answer) => {
                    budget.earn();
                    return Ok(answer);
                }
                Err(error) => sleep(attempts.wait_after(error)?).await,
            }
        }
    }
}

impl<R: AskFresh> Question<'_, R> {
    /// How fresh the answer is to be.
    pub fn consistency(mut self, wanted: Consistency) -> Self {
        self.request.set_consistency(wanted);
        self
    }

    /// Each fact is to be at least as fresh as this revision.
    pub fn at_least_as_fresh(self, revision: impl Into<String>) -> Self {
        self.consistency(Consistency::AtLeastAsFresh(revision.into()))
    }

    /// All facts are to be from one snapshot of the database.
    pub fn fully_consistent(self) -> Self {
        self.consistency(Consistency::FullyConsistent)
    }
}

impl<R: AskWhy> Question<'_, R> {
    /// The answer is to say why; at most 20 questions in one call.
    pub fn explain(mut self) -> Self {
        self.request.set_explain();
        self
    }
}

impl<R: Ask<Answer: Verdict>> Question<'_, R> {
    /// Asks, and gives nothing but an error unless all that was asked is allowed.
    ///
    /// # Errors
    /// `Error::Denied` when it does not; or there is no answer.
    pub async fn require(self) -> Result<(), Error> {
        Ok(self.answer().await?.require()?)
    }
}

impl Question<'_, v1::CheckWritableRequest> {
    /// Says that it was checked already that the resources are visible.
    pub fn skip_visible(mut self) -> Self {
        self.request.skip_visible = true;
        self
    }
}

impl Question<'_, v1::GetListFilterRequest> {
    /// Joins the read level of a DATA query by AND.
    pub fn permission(mut self, query: PermissionQuery) -> Self {
        self.request.permission = Some(query.into());
        self
    }

    /// Asks for the filter as SQL, too.
    pub fn sql(mut self, options: SqlOptions) -> Self {
        self.request.sql = Some(options.into());
        self
    }
}

impl<'c, R: Ask> IntoFuture for Question<'c, R> {
    type Output = Result<R::Answer, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.answer())
    }
}

#[allow(clippy::unnecessary_wraps)] // as the messages want it
fn sent(caller: &Caller) -> Option<v1::Caller> {
    Some(caller.clone().into())
}

fn all<T: Into<M>, M>(values: impl IntoIterator<Item = T>) -> Vec<M> {
    values.into_iter().map(Into::into).collect()
}
