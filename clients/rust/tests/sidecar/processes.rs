//! Servers in processes of their own, which end when nobody holds them any more.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use authz_client::{Client, Tls};
use serde_json::Value;

/// A sidecar that all tests share.
pub static SIDECAR: LazyLock<Serving> = LazyLock::new(Serving::sidecar);

/// A server, and what it told when it was ready.
pub struct Serving {
    child: Child,
    told: Value,
}

impl Serving {
    /// A sidecar with a world of the conformance vectors.
    pub fn sidecar() -> Self {
        let world = root().join("clients/conformance/worlds/tenancy.yaml");
        let world = world.to_string_lossy();
        Self::start("serve.py", &["--world", &world, "--tls"])
    }

    /// A server that lies.
    pub fn liar(mode: &str) -> Self {
        Self::start("hostile.py", &["--mode", mode, "--address", "127.0.0.1:0"])
    }

    /// The text at a path of what it told, such as `/tls/ca`.
    pub fn told(&self, path: &str) -> &str {
        let found = self.told.pointer(path).and_then(Value::as_str);
        found.expect("what the server tells")
    }

    /// A client by this way: `unix` or `tcp`, or `address` of a liar.
    pub fn client(&self, way: &str) -> Client {
        Client::connect(self.told(&format!("/{way}"))).expect("an address")
    }

    /// A client with the certificates that the sidecar gave.
    pub fn secure_client(&self) -> Client {
        self.client_by(self.tls())
    }

    /// The authority, and a certificate for a client, that the sidecar gave.
    pub fn tls(&self) -> Tls {
        Tls::new()
            .ca_file(self.told("/tls/ca"))
            .identity_files(self.told("/tls/cert"), self.told("/tls/key"))
    }

    /// A client of the listener with TLS.
    pub fn client_by(&self, tls: Tls) -> Client {
        let builder = Client::builder(self.told("/tls/address")).tls(tls);
        builder.connect().expect("certificates")
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill").success());
    }

    fn start(script: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(python())
            .arg(root().join("clients/conformance").join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        let mut reader = BufReader::new(output);
        reader.read_line(&mut line).expect("a line");
        let told = serde_json::from_str(&line).expect("that the server starts");
        Self { child, told }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The end of its input is its end; one that was stopped has to go on for that.
        drop(self.child.stdin.take());
        self.signal("CONT");
        self.child.wait().expect("that the server ends");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn python() -> PathBuf {
    std::env::var_os("PYTHON").map_or_else(|| root().join(".venv/bin/python"), PathBuf::from)
}
