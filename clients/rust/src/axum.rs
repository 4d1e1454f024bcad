//! Middleware for axum: an extractor that says as which tenant a request acts, and a
//! layer that lets requests through when requirements hold.
//!
//! Both refuse what could not be decided with 503, and so every request with the header
//! `x-envoy-auth-failure-mode-allowed`: Envoy sets it on what it let through undecided.
//! No header says who calls unless [`Identity`] names it.

use std::convert::Infallible;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{FromRef, FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, StatusCode};
use tower::{Layer, Service};

use crate::answers::TenantContext;
use crate::client::Client;
use crate::errors::Error;
use crate::questions::{Caller, Requirement};

const FAILED_OPEN: HeaderName = HeaderName::from_static("x-envoy-auth-failure-mode-allowed");
const ORGANIZATION: HeaderName = HeaderName::from_static("x-organization-id");

/// Which headers say who calls; none, unless named.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Identity {
    bearer: bool,
    api_key: Option<HeaderName>,
    trusted_user: Option<HeaderName>,
}

impl Identity {
    /// No header.
    pub fn none() -> Self {
        Self::default()
    }

    /// A JWT or an API key in `Authorization: Bearer`, which the sidecar checks.
    pub fn bearer(mut self) -> Self {
        self.bearer = true;
        self
    }

    /// An API key in this header, which the sidecar checks.
    pub fn api_key(mut self, header: HeaderName) -> Self {
        self.api_key = Some(header);
        self
    }

    /// A user id in this header, which is believed. Only where a proxy in front sets it
    /// on every request, and takes off what a client sent.
    pub fn trusted_user(mut self, header: HeaderName) -> Self {
        self.trusted_user = Some(header);
        self
    }

    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let named = |header: &Option<HeaderName>| match header {
            Some(header) => single(headers, header),
            None => Ok(None),
        };
        let bearer = self.bearer.then_some(AUTHORIZATION);
        let key = named(&self.api_key)?;
        // One that is empty names nobody, while an empty credential is a bad one.
        let user = named(&self.trusted_user)?.filter(|user| !user.is_empty());
        let caller = match (named(&bearer)?, key, user) {
            (Some(authorization), None, None) => bearing(authorization)?,
            (None, Some(key), None) => Caller::api_key(key),
            (None, None, Some(user)) => Caller::user(user),
            (None, None, None) => return Err(Refusal::of(401, "CREDENTIAL_MISSING")),
            _ => return Err(Refusal::of(400, "TWO_CREDENTIALS")),
        };
        Ok(match single(headers, &ORGANIZATION)? {
            Some(organization) => caller.organization(organization),
            None => caller,
        })
    }
}

fn bearing(authorization: &str) -> Result<Caller, Refusal> {
    let (scheme, rest) = authorization.split_once(' ').unwrap_or_default();
    let text = rest.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || text.is_empty() || text.contains(' ') {
        return Err(Refusal::of(401, "INVALID_CREDENTIAL"));
    }
    // A JWT has three parts, and no part of it can have a dot.
    if text.matches('.').count() == 2 {
        Ok(Caller::access_token(text))
    } else {
        Ok(Caller::api_key(text))
    }
}

/// The value of a header. With two, on two lines or joined by a comma, nobody knows which
/// of them others take it for.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() || value.as_bytes().contains(&b',') {
        return Err(Refusal::of(400, "REPEATED_HEADER"));
    }
    let text = std::str::from_utf8(value.as_bytes());
    let text = text.map_err(|_| Refusal::of(400, "MALFORMED_FIELD"))?;
    Ok(Some(text.trim_matches([' ', '\t'])))
}

/// Asks a sidecar about requests. Keep it in the router's state for [`Tenant`].
#[derive(Clone)]
pub struct Guard(Arc<(Client, Identity)>);

impl Guard {
    /// A guard that takes callers from these headers.
    #[must_use]
    pub fn new(client: Client, identity: Identity) -> Self {
        Self(Arc::new((client, identity)))
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.0
    }

    /// A layer that lets a request through when all of these hold. Give it to
    /// `route_layer`, so that the path's parameters are known.
    pub fn require<F>(&self, requirements: F) -> Require<F>
    where
        F: Fn(&Route<'_>) -> Vec<Requirement>,
    {
        Require {
            guard: self.clone(),
            requirements,
        }
    }

    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        if headers.contains_key(FAILED_OPEN) {
            tracing::warn!(
                header = FAILED_OPEN.as_str(),
                "refused what was not decided"
            );
            return Err(Refusal::undecided());
        }
        self.0.1.caller(headers)
    }

    async fn resolve(&self, parts: &Parts) -> Result<Tenant, Refusal> {
        let caller = self.caller(&parts.headers)?;
        let answer = self.client().resolve_context(&caller).await?;
        Ok(Tenant {
            caller,
            context: answer.context,
        })
    }

    async fn authorize<F>(&self, parts: &mut Parts, needs: &F) -> Result<(), Refusal>
    where
        F: Fn(&Route<'_>) -> Vec<Requirement>,
    {
        let caller = self.caller(&parts.headers)?;
        let params = RawPathParams::from_request_parts(parts, &()).await;
        let params = params.map_err(|_| Refusal::of(400, "MALFORMED_FIELD"))?;
        let requirements = needs(&Route { parts, params });
        let answer = self.client().authorize(&caller, requirements).await?;
        answer.require().map_err(Error::from)?;
        let context = answer.context.ok_or_else(Refusal::undecided)?;
        parts.extensions.insert(Tenant { caller, context });
        Ok(())
    }
}

/// What a request wants, to say what it requires.
pub struct Route<'r> {
    parts: &'r Parts,
    params: RawPathParams,
}

impl Route<'_> {
    /// The parameter of the path with this name; empty when there is none, which no
    /// requirement holds for.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(each, _)| *each == name);
        found.map_or("", |(_, value)| value)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }
}

/// An extractor: who asks, and as which tenant. Needs a [`Guard`] in the state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tenant {
    /// Who asks, for further questions.
    pub caller: Caller,
    /// As which tenant.
    pub context: TenantContext,
}

impl<S> FromRequestParts<S> for Tenant
where
    S: Send + Sync,
    Guard: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        // What a layer of ours left there; no header becomes an extension.
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        Guard::from_ref(state).resolve(parts).await
    }
}

/// The layer that [`Guard::require`] makes.
#[derive(Clone)]
#[must_use]
pub struct Require<F> {
    guard: Guard,
    requirements: F,
}

impl<S, F: Clone> Layer<S> for Require<F> {
    type Service = Required<S, F>;

    fn layer(&self, inner: S) -> Required<S, F> {
        Required {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service behind [`Require`].
#[derive(Clone)]
pub struct Required<S, F> {
    inner: S,
    layer: Require<F>,
}

impl<S, F> Service<Request> for Required<S, F>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    F: Fn(&Route<'_>) -> Vec<Requirement> + Clone + Send + Sync + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The service that is ready is the one that is called.
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        let Require {
            guard,
            requirements,
        } = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match guard.authorize(&mut parts, &requirements).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(refusal) => Ok(refusal.into_response()),
            }
        })
    }
}

/// A response that refuses: 400, 401, 403 or 404 where that was decided, 503 otherwise.
/// Its body is the bare name of the reason, or empty.
///
/// It is made of any [`Error`], so that handlers can end with `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    fn of(status: u16, reason: &str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            reason: reason.to_owned(),
        }
    }

    fn undecided() -> Self {
        Self::of(503, "")
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let reason = error.reason();
        // Without a reason it is not the sidecar that speaks.
        let status = match &error {
            Error::Denied(denied) => denied.denial.http_status(),
            _ if reason.is_empty() || reason == "PEER_NOT_ALLOWED" => 503,
            Error::InvalidRequest(_) => 400,
            Error::Unauthenticated(_) => 401,
            Error::PermissionDenied(_) => 403,
            Error::NotFound(_) => 404,
            _ => 503,
        };
        if status == 503 {
            tracing::warn!(code = ?error.code(), reason, %error, "could not decide");
            return Self::undecided();
        }
        Self::of(status, reason)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, self.reason).into_response()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect()
    }

    fn reason(identity: &Identity, pairs: &[(&'static str, &'static str)]) -> String {
        match identity.caller(&headers(pairs)) {
            Ok(caller) => format!("{caller:?}"),
            Err(refusal) => refusal.reason,
        }
    }

    #[test]
    fn no_header_is_believed_unless_it_is_named() {
        let sent = [
            ("authorization", "Bearer t"),
            ("x-api-key", "k"),
            ("x-user-id", "1"),
            ("x-authz-user-id", "1"),
        ];

        assert_eq!("CREDENTIAL_MISSING", reason(&Identity::none(), &sent));
    }

    #[test]
    fn one_credential_is_taken_and_two_are_refused() {
        let identity = Identity::none()
            .bearer()
            .api_key(HeaderName::from_static("x-api-key"))
            .trusted_user(HeaderName::from_static("x-user-id"));
        for (pairs, wanted) in [
            (&[("authorization", "bearer  a.b.c")][..], "access_token"),
            (&[("authorization", "Bearer k_1_s")], "api_key"),
            (&[("authorization", "Bearer a.b.c.d")], "api_key"),
            (&[("x-api-key", "k")], "api_key"),
            (&[("x-api-key", "")], "api_key"),
            (&[("x-user-id", "7")], "user_id: \"7\""),
            (&[("x-user-id", "")], "CREDENTIAL_MISSING"),
            (&[("authorization", "Basic x")], "INVALID_CREDENTIAL"),
            (&[("authorization", "")], "INVALID_CREDENTIAL"),
            (&[("authorization", "Bearer ")], "INVALID_CREDENTIAL"),
            (&[("authorization", "Bearer a b")], "INVALID_CREDENTIAL"),
            (&[("x-api-key", "k"), ("x-user-id", "7")], "TWO_CREDENTIALS"),
            (&[("x-api-key", ""), ("x-user-id", "7")], "TWO_CREDENTIALS"),
            (
                &[("authorization", "Basic x"), ("x-api-key", "k")],
                "TWO_CREDENTIALS",
            ),
        ] {
            let told = reason(&identity, pairs);

            assert!(told.contains(wanted), "{told}");
        }
    }

    #[test]
    fn a_header_that_is_repeated_is_refused() {
        let all = Identity::none()
            .bearer()
            .api_key(HeaderName::from_static("x-api-key"))
            .trusted_user(HeaderName::from_static("x-user-id"));
        for (name, one, two) in [
            ("authorization", "Bearer a", "Bearer a, Bearer b"),
            ("x-api-key", "a", "a,b"),
            ("x-user-id", "7", "7,8"),
            ("x-organization-id", "20", "20, 21"),
        ] {
            let mut on_two_lines = headers(&[("x-user-id", "7")]);
            on_two_lines.insert(name, HeaderValue::from_static(one));
            on_two_lines.append(name, HeaderValue::from_static(one));
            let mut joined = headers(&[("x-user-id", "7")]);
            joined.insert(name, HeaderValue::from_static(two));
            for sent in [on_two_lines, joined] {
                let refused = all.caller(&sent).err();

                assert_eq!(Some(Refusal::of(400, "REPEATED_HEADER")), refused, "{name}");
            }
        }
    }

    #[test]
    fn what_was_not_decided_is_503() {
        let codes = [
            Code::Unavailable,
            Code::DeadlineExceeded,
            Code::ResourceExhausted,
            Code::Internal,
            Code::Unimplemented,
            Code::Unknown,
            // Without a reason: not from the sidecar.
            Code::Unauthenticated,
            Code::PermissionDenied,
            Code::NotFound,
            Code::InvalidArgument,
        ];
        for code in codes {
            let refusal = Refusal::from(Error::of(&Status::new(code, "secret")));

            assert_eq!(Refusal::undecided(), refusal, "{code:?}");
        }
    }

    #[test]
    fn what_was_decided_keeps_its_status() {
        for (code, reason, status) in [
            (Code::InvalidArgument, "INVALID_ORGANIZATION_ID", 400),
            (Code::Unauthenticated, "INVALID_CREDENTIAL", 401),
            (Code::PermissionDenied, "NOT_A_MEMBER", 403),
            (Code::PermissionDenied, "PEER_NOT_ALLOWED", 503),
            (Code::NotFound, "ORGANIZATION_NOT_FOUND", 404),
        ] {
            let mut details = ErrorDetails::new();
            details.set_error_info(reason, "authz.v1", []);
            let told = Status::with_error_details(code, "", details);

            assert_eq!(status, Refusal::from(Error::of(&told)).status().as_u16());
        }
    }
}
