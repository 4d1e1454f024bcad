//! A small service behind the middleware:
//!
//!     cargo run --example axum --features axum -- unix:../../.dev/authz.sock 127.0.0.1:8080
//!
//! It believes the header `x-user-id`, as behind a proxy that sets it.

use std::env;
use std::error::Error;

use authz_client::axum::{Guard, Identity, Refusal, Tenant};
use authz_client::{Client, Requirement, Resource};
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::routing::get;
use axum::{Router, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let target = env::args().nth(1).ok_or("where is the sidecar?")?;
    let address = env::args().nth(2).ok_or("where to listen?")?;
    let identity = Identity::none().trusted_user(HeaderName::from_static("x-user-id"));
    let guard = Guard::new(Client::connect(target)?, identity);
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    serve(listener, routes(guard)).await?;
    Ok(())
}

fn routes(guard: Guard) -> Router {
    let visible = guard.require(|route| {
        let cluster = Resource::new("cluster", route.param("id"));
        vec![Requirement::visible(cluster)]
    });
    Router::new()
        .route("/clusters/{id}", get(cluster))
        .route_layer(visible)
        .route("/me", get(me))
        .route("/models/{id}", get(model))
        .with_state(guard)
}

async fn me(tenant: Tenant) -> String {
    format!("user {}\n", tenant.context.user_id)
}

async fn cluster(tenant: Tenant, Path(id): Path<String>) -> String {
    let user = &tenant.context.user_id;
    format!("cluster {id}, visible to user {user}\n")
}

async fn model(
    tenant: Tenant,
    State(guard): State<Guard>,
    Path(id): Path<String>,
) -> Result<String, Refusal> {
    let model = Resource::new("model", &id);
    let question = guard.client().check_visible(&tenant.caller, [model]);
    question.require().await?;
    Ok(format!("model {id}\n"))
}
