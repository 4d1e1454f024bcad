//! Makes the messages and stubs of `authz.v1`, without protoc.

use std::error::Error;
use std::path::PathBuf;

const SERVICE: &str = "authz/v1/authorization_service.proto";

fn main() -> Result<(), Box<dyn Error>> {
    let protos = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", protos.display());
    let files = protox::compile([SERVICE], [&protos])?;
    tonic_prost_build::configure()
        .build_server(false)
        .compile_fds(files)?;
    Ok(())
}
