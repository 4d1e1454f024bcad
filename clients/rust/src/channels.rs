//! Where a sidecar is, and how to speak with it.

use std::path::PathBuf;
use std::time::Duration;

use http::uri::Authority;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tower::service_fn;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const USER_AGENT: &str = concat!("authz-client-rust/", env!("CARGO_PKG_VERSION"));

/// A client cannot be made like this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The target is neither `unix:PATH` nor `host:port`.
    #[error("`{0}` is neither `unix:PATH` nor `host:port`")]
    Target(String),
    /// A certificate or a key cannot be read.
    #[error("cannot read `{}`", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The certificates or the key are not usable.
    #[error("the TLS settings are not usable")]
    Tls(#[source] tonic::transport::Error),
    /// A client needs a Tokio runtime around it.
    #[error("no Tokio runtime is running here")]
    NoRuntime,
}

#[derive(Clone)]
enum Pem {
    Bytes(Vec<u8>),
    File(PathBuf),
}

impl Pem {
    fn read(self) -> Result<Vec<u8>, ConnectError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::File(path) => {
                std::fs::read(&path).map_err(|source| ConnectError::File { path, source })
            }
        }
    }
}

/// How a listener proves itself, and how this client does. Files are read when the
/// client is made.
#[derive(Clone, Default)]
pub struct Tls {
    ca: Option<Pem>,
    identity: Option<(Pem, Pem)>,
    server_name: Option<String>,
}

impl Tls {
    /// The system's authorities are trusted, and no certificate is shown.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts only the authorities in this file.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca = Some(Pem::File(path.into()));
        self
    }

    /// Trusts only these authorities.
    #[must_use]
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(Pem::Bytes(pem.into()));
        self
    }

    /// Shows the certificate in one file, proven by the key in the other.
    #[must_use]
    pub fn identity_files(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.identity = Some((Pem::File(certificate.into()), Pem::File(key.into())));
        self
    }

    /// Shows this certificate, proven by this key.
    #[must_use]
    pub fn identity_pem(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.identity = Some((Pem::Bytes(certificate.into()), Pem::Bytes(key.into())));
        self
    }

    /// The name in the listener's certificate, if not that of the target.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    fn config(self) -> Result<ClientTlsConfig, ConnectError> {
        let mut config = match self.ca {
            Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem.read()?)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        if let Some((certificate, key)) = self.identity {
            config = config.identity(Identity::from_pem(certificate.read()?, key.read()?));
        }
        if let Some(name) = self.server_name {
            config = config.domain_name(name);
        }
        Ok(config)
    }
}

/// A connection that is made when it is needed, and again after it is lost.
pub(crate) fn open(target: &str, tls: Option<Tls>) -> Result<Channel, ConnectError> {
    Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
    match target.strip_prefix("unix:") {
        Some("") => Err(ConnectError::Target(target.to_owned())),
        Some(path) => {
            let path = PathBuf::from(path);
            let connector = service_fn(move |_| {
                let path = path.clone();
                async move { UnixStream::connect(path).await.map(TokioIo::new) }
            });
            Ok(endpoint("localhost", tls)?.connect_with_connector_lazy(connector))
        }
        None if is_address(target) => Ok(endpoint(target, tls)?.connect_lazy()),
        None => Err(ConnectError::Target(target.to_owned())),
    }
}

fn is_address(target: &str) -> bool {
    let parsed = target.parse::<Authority>();
    parsed.is_ok_and(|authority| {
        authority.port_u16().is_some() && !authority.host().is_empty() && !target.contains('@')
    })
}

fn endpoint(authority: &str, tls: Option<Tls>) -> Result<Endpoint, ConnectError> {
    // What is spoken follows the scheme, so that settings for TLS cannot go unused.
    let scheme = if tls.is_some() { "https" } else { "http" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{authority}"))
        .and_then(|endpoint| endpoint.user_agent(USER_AGENT))
        .map_err(|_| ConnectError::Target(authority.to_owned()))?
        .connect_timeout(CONNECT_TIMEOUT);
    match tls {
        Some(tls) => endpoint
            .tls_config(tls.config()?)
            .map_err(ConnectError::Tls),
        None => Ok(endpoint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_target_is_a_socket_or_a_host_with_a_port() {
        for target in [
            "",
            "unix:",
            "host",
            "host:",
            "localhost",
            ":80",
            "a b:1",
            "u@host:1",
            "http://h:1",
        ] {
            assert!(
                matches!(open(target, None), Err(ConnectError::Target(_))),
                "{target}"
            );
        }
        for target in [
            "unix:authz.sock",
            "unix:/run/a.sock",
            "host:1",
            "[::1]:80",
            "localhost:1",
        ] {
            assert!(open(target, None).is_ok(), "{target}");
        }
    }

    #[test]
    fn without_a_runtime_it_is_an_error() {
        assert!(matches!(open("host:1", None), Err(ConnectError::NoRuntime)));
    }

    #[tokio::test]
    async fn a_file_that_is_missing_is_named() {
        let tls = Tls::new().ca_file("no/such.pem");

        let error = open("host:1", Some(tls))
            .err()
            .map(|error| error.to_string());

        assert_eq!(Some("cannot read `no/such.pem`".to_owned()), error);
    }
}
