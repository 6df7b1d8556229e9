//! A run that is interrupted while the server is silent: reads are given up, the answer to a write is awaited.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use syncfilters::dataverse::{Error, SetState, WriteReply, Writer};
use syncfilters::model::{FilterId, State};

use super::client::{all_users, connect, user};
use super::server::{Reply, Request, Server};

/// A server that says when a request of this kind has arrived, and answers it on demand.
fn silent(is_it: fn(&Request) -> bool, reply: fn() -> Reply) -> (Server, Receiver<()>, Sender<()>) {
    let (arrived, arrival) = channel();
    let (go, gone) = channel();
    let (arrived, gone) = (Mutex::new(arrived), Mutex::new(gone));
    let server = Server::start(move |request| {
        if is_it(request) {
            arrived.lock().unwrap().send(()).unwrap();
            // It ends with the test, too.
            let _ = gone.lock().unwrap().recv();
        }
        reply()
    });
    (server, arrival, go)
}

async fn wait_for(arrival: Receiver<()>) {
    tokio::task::spawn_blocking(move || arrival.recv())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_read_that_is_not_answered_is_given_up() {
    let is_read = |request: &Request| request.target.contains("/systemusers?");
    let (server, arrival, go) = silent(is_read, || Reply::json(200, r#"{"value":[]}"#));
    let reader = connect(&server).await.unwrap();
    let read = {
        let reader = reader.clone();
        tokio::spawn(async move { all_users(&reader).await })
    };
    wait_for(arrival).await;
    reader.channel().interrupted().cancel();
    let read = read.await.unwrap();
    assert!(matches!(read, Err(Error::Interrupted)), "{read:?}");
    drop(go);
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "what a writer makes of an answer is tested without a run"
)]
async fn the_answer_to_a_write_is_awaited() {
    let is_write = |request: &Request| request.method == "PATCH";
    let (server, arrival, go) = silent(is_write, || Reply::json(204, ""));
    let reader = connect(&server).await.unwrap();
    let writer = Writer::new(reader.clone());
    let states = [SetState {
        filter: FilterId(uuid::Uuid::from_u128(1)),
        to: State::Inactive.with_default_status(),
        etag: None,
    }];
    let write = tokio::spawn(async move { writer.set_states(&user(), &states).await });
    wait_for(arrival).await;
    reader.channel().interrupted().cancel();
    // Whoever gave up would have by now.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!write.is_finished());
    go.send(()).unwrap();
    let replies = write.await.unwrap().unwrap();
    assert!(
        matches!(&replies[..], [WriteReply::Unclear(_)]),
        "{replies:?}"
    );
}
