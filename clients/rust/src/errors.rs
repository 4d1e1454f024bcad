//! What a client returns instead of an answer, and which status becomes what.
//!
//! ```text
//! Error
//! ├── Denied              decided: no (only `require()` returns it)
//! ├── could not decide: neither yes nor no (`is_undecided`)
//! │   ├── Unavailable     no server, or no facts; was tried again
//! │   ├── Deadline        no answer in time
//! │   ├── Overloaded      the server sheds load; not tried again
//! │   ├── Internal        a defect of the server, or of the way to it
//! │   └── Protocol        an answer that no correct server gives
//! ├── InvalidRequest      the question is malformed
//! ├── UnknownRevision     the revision is of another history
//! ├── Unauthenticated     nobody that is known
//! ├── PermissionDenied    this caller, or this connection, may not
//! ├── NotFound            the requested organization does not exist
//! └── NotServed           the listener does not serve this call
//! ```

use std::error::Error as StdError;
use std::fmt;

use tonic::{Code, Status, TimeoutExpired};
use tonic_types::StatusExt;

use crate::words::{Denial, Reason};

const DOMAIN: &str = "authz.v1";
const UNKNOWN_REVISION: &str = "UNKNOWN_REVISION";

/// There is no answer that allows. Whichever it is, do not do what was asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A decision that was required to allow denies.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The sidecar, or its facts, cannot be reached.
    #[error("{0}")]
    Unavailable(Told),
    /// There was no answer in time.
    #[error("{0}")]
    Deadline(Told),
    /// Too much is asked at once.
    #[error("{0}")]
    Overloaded(Told),
    /// The server failed, or ended the call with a status that it never uses.
    #[error("{0}")]
    Internal(Told),
    /// The answer contradicts itself or the question, or cannot be read.
    #[error("{0}")]
    Protocol(Told),
    /// The question is malformed.
    #[error("{0}")]
    InvalidRequest(Told),
    /// The revision is none of this database's; ask again without.
    #[error("{0}")]
    UnknownRevision(Told),
    /// The credential or the user is not valid.
    #[error("{0}")]
    Unauthenticated(Told),
    /// The context is forbidden, or this connection may not call here.
    #[error("{0}")]
    PermissionDenied(Told),
    /// The requested organization does not exist.
    #[error("{0}")]
    NotFound(Told),
    /// The listener does not serve this call, or not for such a caller.
    #[error("{0}")]
    NotServed(Told),
}

/// A denial by a decision that was required to allow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denied {
    /// The kind of the denial.
    pub denial: Denial,
    /// Why; none when nothing was decided.
    pub reason: Option<Reason>,
    /// The same for people.
    pub message: String,
    /// Names the decision in logs.
    pub decision_id: String,
}

impl fmt::Display for Denied {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl StdError for Denied {}

/// What is known of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Told {
    /// The gRPC status.
    pub code: Code,
    /// The bare name of a reason of the API; empty when the sidecar told none.
    pub reason: String,
    /// The field of the request that is malformed; empty when not known.
    pub field: String,
    /// The error for people.
    pub message: String,
}

impl Told {
    fn here(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: String::new(),
            field: String::new(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl Error {
    /// The gRPC status.
    #[must_use]
    pub fn code(&self) -> Code {
        self.told().map_or(Code::PermissionDenied, |told| told.code)
    }

    /// The bare name of a reason of the API, such as `FACTS_UNAVAILABLE`; empty when
    /// the sidecar told none.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Denied(denied) => denied.reason.map_or("", Reason::name),
            _ => self.told().map_or("", |told| &told.reason),
        }
    }

    /// The field of the request that is malformed; empty when not known.
    #[must_use]
    pub fn field(&self) -> &str {
        self.told().map_or("", |told| &told.field)
    }

    /// Whether nobody knows if it is allowed.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_)
                | Self::Deadline(_)
                | Self::Overloaded(_)
                | Self::Internal(_)
                | Self::Protocol(_)
        )
    }

    fn told(&self) -> Option<&Told> {
        match self {
            Self::Denied(_) => None,
            Self::Unavailable(told)
            | Self::Deadline(told)
            | Self::Overloaded(told)
            | Self::Internal(told)
            | Self::Protocol(told)
            | Self::InvalidRequest(told)
            | Self::UnknownRevision(told)
            | Self::Unauthenticated(told)
            | Self::PermissionDenied(told)
            | Self::NotFound(told)
            | Self::NotServed(told) => Some(told),
        }
    }

    pub(crate) fn deadline() -> Self {
        let message = "there was no answer in time";
        Self::Deadline(Told::here(Code::DeadlineExceeded, message))
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::Protocol(Told::here(Code::Internal, message))
    }

    /// The error as which a status is returned.
    pub(crate) fn of(status: &Status) -> Self {
        if has_source::<Undecodable>(status) {
            return Self::protocol("the answer is no message of this API");
        }
        if has_source::<TimeoutExpired>(status) || is_timeout_here(status) {
            return Self::deadline();
        }
        let told = told_by(status);
        match told.code {
            Code::InvalidArgument if told.reason == UNKNOWN_REVISION => Self::UnknownRevision(told),
            Code::InvalidArgument => Self::InvalidRequest(told),
            Code::Unauthenticated => Self::Unauthenticated(told),
            Code::PermissionDenied => Self::PermissionDenied(told),
            Code::NotFound => Self::NotFound(told),
            Code::Unimplemented => Self::NotServed(told),
            Code::Unavailable => Self::Unavailable(told),
            Code::DeadlineExceeded => Self::Deadline(told),
            Code::ResourceExhausted => Self::Overloaded(told),
            _ => Self::Internal(told),
        }
    }
}

/// Marks the status of an answer that cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[error("the answer cannot be decoded")]
pub(crate) struct Undecodable;

fn told_by(status: &Status) -> Told {
    // A connection that ends in the middle of a call has no status of its own.
    let is_cut = status.code() == Code::Unknown && status.source().is_some();
    let details = status.get_error_details();
    let info = details.error_info().filter(|info| info.domain == DOMAIN);
    let bad = details.bad_request();
    let violation = bad.and_then(|bad| bad.field_violations.first());
    Told {
        code: if is_cut {
            Code::Unavailable
        } else {
            status.code()
        },
        reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
        field: violation.map(|each| each.field.clone()).unwrap_or_default(),
        message: status.message().to_owned(),
    }
}

fn is_timeout_here(status: &Status) -> bool {
    status.code() == Code::Cancelled && status.message() == TimeoutExpired(()).to_string()
}

fn has_source<E: StdError + 'static>(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(each) = source {
        if each.is::<E>() {
            return true;
        }
        source = each.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn told(code: Code, reason: &str, domain: &str) -> Error {
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, domain, []);
        details.add_bad_request_violation("resources[0].kind", "malformed");
        Error::of(&Status::with_error_details(code, "no", details))
    }

    #[test]
    fn an_error_tells_reason_and_field() {
        let error = told(Code::InvalidArgument, "MALFORMED_FIELD", DOMAIN);

        assert!(matches!(error, Error::InvalidRequest(_)));
        assert_eq!("MALFORMED_FIELD", error.reason());
        assert_eq!("resources[0].kind", error.field());
    }

    #[test]
    fn a_reason_of_another_domain_is_none() {
        assert_eq!("", told(Code::Internal, "OWNED", "elsewhere").reason());
    }

    #[test]
    fn an_unknown_revision_is_told_apart() {
        let error = told(Code::InvalidArgument, UNKNOWN_REVISION, DOMAIN);

        assert!(matches!(error, Error::UnknownRevision(_)));
    }

    #[test]
    fn a_status_that_the_api_never_uses_is_undecided() {
        for code in [Code::Ok, Code::Cancelled, Code::Unknown, Code::Aborted] {
            let error = Error::of(&Status::new(code, "odd"));

            assert!(matches!(error, Error::Internal(_)), "{code:?}");
            assert!(error.is_undecided());
        }
    }

    #[test]
    fn details_that_cannot_be_read_are_left_out() {
        let garbage = bytes::Bytes::from_static(b"\xff\xff\xff");
        let error = Error::of(&Status::with_details(Code::Unavailable, "away", garbage));

        assert!(matches!(error, Error::Unavailable(_)));
        assert_eq!("", error.reason());
    }
}
