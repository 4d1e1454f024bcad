//! Servers that no client may believe.

use std::time::{Duration, Instant};

use authz_client::{Client, Error};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::calls::{DECIDING, TELLING, ask};
use crate::processes::Serving;

const TIMEOUT: Duration = Duration::from_millis(500);
const SLACK: Duration = Duration::from_secs(1);

async fn refused(client: &Client, mode: &str, call: &str) -> Error {
    let begun = Instant::now();
    let told = ask(client, call, TIMEOUT).await;

    assert!(begun.elapsed() < TIMEOUT + SLACK, "{mode} {call}");
    let error = told.expect_err("an error");
    assert!(error.is_undecided(), "{mode} {call} {error:?}");
    error
}

#[tokio::test]
async fn who_does_not_answer_is_given_up_at_the_deadline() {
    for mode in ["silent", "stuck", "slow"] {
        let liar = Serving::liar(mode);
        let client = liar.client("address");
        for call in DECIDING.iter().chain(&TELLING) {
            let error = refused(&client, mode, call).await;

            assert!(
                matches!(error, Error::Deadline(_)),
                "{mode} {call} {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    for mode in ["garbage", "closing"] {
        let liar = Serving::liar(mode);
        let client = liar.client("address");
        for call in DECIDING.iter().chain(&TELLING) {
            let error = refused(&client, mode, call).await;

            assert!(
                !matches!(error, Error::Protocol(_)),
                "{mode} {call} {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_message_is_no_answer() {
    let liar = Serving::liar("no-message");
    let client = liar.client("address");
    for call in DECIDING.iter().chain(&TELLING) {
        let error = refused(&client, "no-message", call).await;

        assert!(matches!(error, Error::Protocol(_)), "{call} {error:?}");
    }
}

#[tokio::test]
async fn what_contradicts_itself_or_the_question_is_no_answer() {
    for mode in [
        "wrong-count",
        "too-few",
        "allowed-with-denial",
        "unspecified",
        "unknown-reason",
        "denying-reason",
        "neither",
        "empty",
        "verdict",
    ] {
        let liar = Serving::liar(mode);
        let client = liar.client("address");
        for call in DECIDING {
            let error = refused(&client, mode, call).await;

            assert!(
                matches!(error, Error::Protocol(_)),
                "{mode} {call} {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_honest_server_is_believed() {
    let liar = Serving::liar("honest");
    let client = liar.client("address");
    for call in DECIDING.iter().chain(&TELLING) {
        assert_eq!(
            Ok(()),
            ask(&client, call, Duration::from_secs(10)).await,
            "{call}"
        );
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let client = Client::connect("unix:/no/such/socket").expect("an address");
    for call in DECIDING {
        let error = refused(&client, "nobody", call).await;

        assert!(matches!(error, Error::Unavailable(_)), "{call} {error:?}");
    }
}

#[tokio::test]
async fn a_client_that_is_dropped_ends_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let client = Client::connect(address).expect("an address");
    let accepted = tokio::spawn(async move { listener.accept().await });
    refused(&client, "silent", DECIDING[0]).await;
    let (mut stream, _) = accepted.await.expect("a task").expect("a connection");

    drop(client);

    let mut rest = Vec::new();
    let end = stream.read_to_end(&mut rest);
    let ended = tokio::time::timeout(Duration::from_secs(10), end).await;
    assert!(ended.is_ok());
}
