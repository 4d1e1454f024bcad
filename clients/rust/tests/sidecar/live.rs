//! What the client says of a live sidecar.

use std::time::{Duration, Instant};

use authz_client::{
    AccessLevel, Client, Denial, Error, Field, Placeholders, Reason, Selection, SqlOptions, Tls,
    WatchEvent,
};

use crate::calls::{DECIDING, TELLING, ann, ask, cluster, query};
use crate::processes::{SIDECAR, Serving};

const PATIENCE: Duration = Duration::from_secs(10);

fn clients() -> [Client; 3] {
    [
        SIDECAR.client("unix"),
        SIDECAR.client("tcp"),
        SIDECAR.secure_client(),
    ]
}

#[tokio::test]
async fn every_way_gives_the_same_decisions() {
    for client in clients() {
        let question = client.check_visible(&ann(), [cluster("501"), cluster("504")]);
        let answer = question.timeout(PATIENCE).await.expect("an answer");

        assert!(answer[0].allowed());
        assert_eq!(Reason::Owned, answer[0].reason);
        assert_eq!(Some(Denial::NotFound), answer[1].denial());
        assert_eq!(format!("{}.1", answer.decision_id), answer[1].decision_id);
        assert!(!answer.all_allowed());
    }
}

#[tokio::test]
async fn every_call_is_answered_by_every_way() {
    for client in clients() {
        for call in DECIDING.iter().chain(&TELLING) {
            assert_eq!(Ok(()), ask(&client, call, PATIENCE).await, "{call}");
        }
    }
}

#[tokio::test]
async fn require_is_an_error_unless_all_is_allowed() {
    let client = SIDECAR.client("unix");
    let own = client.check_visible(&ann(), [cluster("501")]);
    let both = client.check_visible(&ann(), [cluster("501"), cluster("504")]);

    assert_eq!(Ok(()), own.timeout(PATIENCE).require().await);
    match both.timeout(PATIENCE).require().await {
        Err(Error::Denied(denied)) => assert_eq!(Denial::NotFound, denied.denial),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_is_as_fresh_as_asked() {
    let client = SIDECAR.client("unix");
    let first = client
        .check_visible(&ann(), [cluster("501")])
        .fully_consistent();
    let first = first.timeout(PATIENCE).await.expect("an answer");
    let revision = first.revision.expect("a revision");
    let second = client
        .check_visible(&ann(), [cluster("501")])
        .at_least_as_fresh(revision);

    assert_eq!(Ok(()), second.timeout(PATIENCE).require().await);
}

#[tokio::test]
async fn a_decision_says_why_when_asked() {
    let client = SIDECAR.client("unix");
    for (explains, question) in [
        (false, client.check_visible(&ann(), [cluster("501")])),
        (
            true,
            client.check_visible(&ann(), [cluster("501")]).explain(),
        ),
    ] {
        let answer = question.timeout(PATIENCE).await.expect("an answer");

        assert_eq!(explains, answer[0].explanation.is_some());
    }
}

#[tokio::test]
async fn a_malformed_question_names_its_field() {
    let client = SIDECAR.client("tcp");
    let question = client.check_visible(&ann(), [cluster("501"), cluster("")]);
    let error = question.timeout(PATIENCE).await.expect_err("an error");

    assert!(matches!(error, Error::InvalidRequest(_)));
    assert_eq!(
        ("MALFORMED_FIELD", "resources[1].id"),
        (error.reason(), error.field())
    );
}

#[tokio::test]
async fn a_revision_of_another_history_is_told_apart() {
    let client = SIDECAR.client("unix");
    let question = client
        .resolve_context(&ann())
        .at_least_as_fresh("elsewhere");
    let error = question.timeout(PATIENCE).await.expect_err("an error");

    assert!(matches!(error, Error::UnknownRevision(_)));
}

#[tokio::test]
async fn permissions_and_filters_are_read() {
    let client = SIDECAR.client("unix");
    let permissions = client.get_permissions(&ann(), [query()]).timeout(PATIENCE);
    let sql = SqlOptions::new(Placeholders::Dollar).column(Field::OwnerPrincipalId, "m.owner_id");
    let filter = client
        .get_list_filter(&ann(), "model")
        .sql(sql)
        .timeout(PATIENCE);

    let permissions = permissions.await.expect("an answer").permissions;
    let filter = filter.await.expect("an answer");

    assert!(permissions[0].read >= AccessLevel::None);
    assert!(matches!(filter.selection, Selection::Condition(_)));
    assert!(
        filter
            .sql
            .is_some_and(|sql| sql.text.contains("\"owner_id\""))
    );
}

#[tokio::test]
async fn changes_are_watched_until_the_stream_is_dropped() {
    let client = SIDECAR.client("unix");
    let reading = async {
        let mut watch = client.watch(None).await?;
        watch.next().await.expect("an event")
    };
    let event = tokio::time::timeout(PATIENCE * 3, reading).await;

    let event = event.expect("an event in time").expect("no error");

    assert!(!matches!(event, WatchEvent::Changes(changes) if changes.is_empty()));
}

#[tokio::test]
async fn without_a_certificate_or_by_another_authority_or_name_there_is_no_answer() {
    let nameless = Tls::new().ca_file(SIDECAR.told("/tls/ca"));
    let distrusting =
        Tls::new().identity_files(SIDECAR.told("/tls/cert"), SIDECAR.told("/tls/key"));
    let misled = SIDECAR.tls().server_name("other.example");
    for tls in [nameless, distrusting, misled] {
        let client = SIDECAR.client_by(tls);
        for call in DECIDING {
            let error = ask(&client, call, Duration::from_secs(1))
                .await
                .expect_err("an error");

            assert!(error.is_undecided(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn in_the_clear_nothing_is_asked_of_a_listener_with_tls() {
    let client = Client::connect(SIDECAR.told("/tls/address")).expect("an address");
    let error = ask(&client, "check_visible", Duration::from_secs(1))
        .await
        .expect_err("an error");

    assert!(error.is_undecided(), "{error:?}");
}

#[tokio::test]
async fn a_sidecar_that_stops_is_undecided_in_time_and_is_found_again() {
    let sidecar = Serving::sidecar();
    let ways = [
        sidecar.client("unix"),
        sidecar.client("tcp"),
        sidecar.secure_client(),
    ];
    for client in &ways {
        assert_eq!(Ok(()), ask(client, "check_visible", PATIENCE).await);
    }
    sidecar.signal("STOP");
    for client in &ways {
        let begun = Instant::now();
        let error = ask(client, "check_visible", Duration::from_millis(300)).await;

        assert!(matches!(error, Err(Error::Deadline(_))), "{error:?}");
        assert!(begun.elapsed() < Duration::from_millis(1300));
    }
    sidecar.signal("CONT");
    for client in &ways {
        assert_eq!(Ok(()), ask(client, "check_visible", PATIENCE).await);
    }
    drop(sidecar);
    for client in &ways {
        let begun = Instant::now();
        let error = ask(client, "check_visible", Duration::from_secs(1)).await;

        assert!(matches!(error, Err(Error::Unavailable(_))), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}
