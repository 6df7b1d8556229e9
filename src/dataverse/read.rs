//! Sends one request and reads its answer.

use serde::de::DeserializeOwned;
use url::Url;

use super::call::Call;
use super::channel::Channel;
use super::error::Error;
use super::rows::read_json;

/// The address of a next page, unchanged, and only where it leads to the same server.
pub(super) fn follow(
    channel: &Channel,
    what: &'static str,
    from: &Url,
    link: &str,
) -> Result<Url, Error> {
    let url = join(from, link)?;
    if channel.environment().is_same_server(&url) {
        Ok(url)
    } else {
        Err(Error::ForeignUrl {
            what: what.into(),
            url: Box::new(url),
        })
    }
}

/// Sends a request and reads its answer.
pub(super) async fn read<T: DeserializeOwned>(channel: &Channel, call: &Call) -> Result<T, Error> {
    let answer = channel.send(call).await?;
    if !answer.status.is_success() {
        return Err(Error::refused(call.what, answer.fault()));
    }
    read_json(&answer.body).map_err(|why| Error::BadAnswer {
        what: call.what.into(),
        why,
    })
}

pub(super) fn join(root: &Url, path: &str) -> Result<Url, Error> {
    root.join(path)
        .map_err(|error| bad_answer("following a link", &error))
}

pub(super) fn bad_answer(what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::BadAnswer {
        what: what.to_owned(),
        why: why.to_string(),
    }
}
