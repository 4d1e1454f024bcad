//! The middleware for axum, in front of a live sidecar.

use authz_client::axum::{Guard, Identity, Refusal, Tenant};
use authz_client::{Client, Requirement, Resource};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderName, Request};
use axum::routing::get;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::processes::SIDECAR;

const USER: HeaderName = HeaderName::from_static("x-user-id");

fn routes(client: Client) -> Router {
    let identity = Identity::none()
        .bearer()
        .trusted_user(USER)
        .api_key(HeaderName::from_static("x-api-key"));
    let guard = Guard::new(client, identity);
    let visible = guard.require(|route| {
        vec![Requirement::visible(Resource::new(
            "cluster",
            route.param("id"),
        ))]
    });
    let nothing = guard.require(|_| Vec::new());
    Router::new()
        .route(
            "/clusters/{id}",
            get(async |tenant: Tenant| tenant.context.user_id),
        )
        .route_layer(visible)
        .merge(
            Router::new()
                .route("/nothing", get(async || "in"))
                .route_layer(nothing),
        )
        .route("/me", get(async |tenant: Tenant| tenant.context.user_id))
        .route("/asked/{id}", get(asked))
        .with_state(guard)
}

async fn asked(
    tenant: Tenant,
    State(guard): State<Guard>,
    Path(id): Path<String>,
) -> Result<&'static str, Refusal> {
    let cluster = Resource::new("cluster", id);
    let question = guard.client().check_visible(&tenant.caller, [cluster]);
    question.require().await?;
    Ok("in")
}

async fn told(client: Client, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let request = headers
        .iter()
        .fold(Request::get(path), |request, (name, value)| {
            request.header(*name, *value)
        });
    let request = request.body(Body::empty()).expect("a request");
    let response = routes(client).oneshot(request).await.expect("a response");
    let status = response.status().as_u16();
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_request_gets_what_was_decided() {
    let ann = ("x-user-id", "2");
    let acme = ("x-organization-id", "20");
    for (path, headers, status, body) in [
        ("/me", vec![ann, acme], 200, "2"),
        ("/clusters/501", vec![ann, acme], 200, "2"),
        ("/clusters/504", vec![ann, acme], 404, "RESOURCE_NOT_FOUND"),
        ("/asked/501", vec![ann, acme], 200, "in"),
        ("/asked/504", vec![ann, acme], 404, "RESOURCE_NOT_FOUND"),
        (
            "/me",
            vec![ann, ("x-organization-id", "21")],
            403,
            "NOT_A_MEMBER",
        ),
        (
            "/clusters/501",
            vec![ann, ("x-organization-id", "21")],
            403,
            "NOT_A_MEMBER",
        ),
        (
            "/me",
            vec![ann, ("x-organization-id", "x")],
            400,
            "INVALID_ORGANIZATION_ID",
        ),
        ("/me", vec![("x-user-id", "999")], 401, "INVALID_CREDENTIAL"),
        (
            "/me",
            vec![("x-api-key", "nonsense")],
            401,
            "INVALID_CREDENTIAL",
        ),
        ("/me", vec![("x-api-key", "")], 400, "MALFORMED_FIELD"),
        (
            "/me",
            vec![("x-api-key", ""), ann, acme],
            400,
            "TWO_CREDENTIALS",
        ),
        (
            "/me",
            vec![("authorization", "Bearer gpk_none_such")],
            401,
            "INVALID_CREDENTIAL",
        ),
        ("/me", vec![acme], 401, "CREDENTIAL_MISSING"),
        ("/clusters/501", vec![acme], 401, "CREDENTIAL_MISSING"),
        ("/nothing", vec![ann, acme], 400, "MALFORMED_FIELD"),
    ] {
        let came = told(SIDECAR.client("unix"), path, &headers).await;

        assert_eq!((status, body.to_owned()), came, "{path} {headers:?}");
    }
}

#[tokio::test]
async fn what_envoy_let_through_undecided_is_refused() {
    for path in ["/me", "/clusters/501", "/asked/501"] {
        for value in ["true", "false", ""] {
            let headers = [
                ("x-user-id", "2"),
                ("x-organization-id", "20"),
                ("x-envoy-auth-failure-mode-allowed", value),
            ];
            let came = told(SIDECAR.client("unix"), path, &headers).await;

            assert_eq!((503, String::new()), came, "{path} {value}");
        }
    }
}

#[tokio::test]
async fn without_a_sidecar_every_request_is_refused() {
    for path in ["/me", "/clusters/501", "/asked/501", "/nothing"] {
        let client = Client::connect("unix:/no/such/socket").expect("an address");
        let came = told(client, path, &[("x-user-id", "2")]).await;

        assert_eq!((503, String::new()), came, "{path}");
    }
}
