//! The client, as a command uses it, with pauses that are over at once.

use std::sync::Arc;
use std::time::Duration;

use syncfilters::auth::{GivenToken, TimeLimits};
use syncfilters::dataverse::{Channel, Columns, Error, Impersonated, Reader};
use syncfilters::model::{Filter, FilterKind, User, UserId};
use syncfilters::pacing::{Pacer, RetryPolicy, Settings};
use syncfilters::settings::{Address, Origin};
use tokio_util::sync::CancellationToken;

use super::server::{Server, USER};

pub(crate) async fn connect(server: &Server) -> Result<Reader, Error> {
    connect_within(server, TimeLimits::default()).await
}

/// The same with other time limits.
pub(crate) async fn connect_within(server: &Server, limits: TimeLimits) -> Result<Reader, Error> {
    let settings = Settings {
        retry: RetryPolicy {
            base: Duration::from_millis(1),
            cap: Duration::from_millis(2),
            ..RetryPolicy::default()
        },
        ..Settings::default()
    };
    let tokens = Arc::new(GivenToken::new("a-token").unwrap());
    let channel = Channel::with_limits(
        Address::given(&server.url, &Origin::Flag("--url")).unwrap(),
        tokens,
        Pacer::new(settings),
        CancellationToken::new(),
        limits,
    );
    Reader::connect(channel.unwrap()).await
}

pub(crate) fn user() -> Impersonated {
    Impersonated {
        id: UserId(USER.parse().unwrap()),
        object_id: None,
    }
}

/// Every user there is.
pub(crate) async fn all_users(reader: &Reader) -> Result<Vec<User>, Error> {
    let mut pages = reader.users(None);
    let mut all = Vec::new();
    while let Some(users) = pages.next().await? {
        all.extend(users);
    }
    Ok(all)
}

/// The user's filters, asked as the user.
pub(crate) async fn own_filters(reader: &Reader) -> Result<Vec<Filter>, Error> {
    reader
        .filters(&user(), FilterKind::Outlook, Columns::Needed)
        .await
}
