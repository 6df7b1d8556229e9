//! Several environments at once.

use std::num::NonZeroUsize;

use futures_util::StreamExt;

use crate::rollout::Connection;

use super::sign_in::{SignIn, chosen, may_turn_to_a_person};
use super::{ConnectError, Connector, NamedEnvironment};

/// Does several pieces of work, a limited number at once. The results are in the order of the pieces.
pub async fn side_by_side<T, F: Future<Output = T>>(
    at_once: NonZeroUsize,
    work: impl IntoIterator<Item = F>,
) -> Vec<T> {
    let numbered = work
        .into_iter()
        .enumerate()
        .map(|(at, one)| async move { (at, one.await) });
    let mut done: Vec<_> = futures_util::stream::iter(numbered)
        .buffer_unordered(at_once.get())
        .collect()
        .await;
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, one)| one).collect()
}

impl Connector {
    /// Connects to all environments: first, one after the other, those where a user may be asked; then
    /// the others, a limited number at once.
    pub async fn connect_all(
        &self,
        environments: &[NamedEnvironment],
        at_once: NonZeroUsize,
    ) -> Vec<(String, Result<Connection, ConnectError>)> {
        let several = environments.len() > 1;
        let mut signed_in = Vec::new();
        for one in environments {
            signed_in.push(if several {
                self.sign_in_in_turn(one).await
            } else {
                Ok(None)
            });
        }
        let work = environments
            .iter()
            .zip(signed_in)
            .map(|(one, signed_in)| async {
                let connected = self.connect_named(one, several, signed_in).await;
                (one.name.clone(), connected)
            });
        side_by_side(at_once, work).await
    }

    async fn connect_named(
        &self,
        one: &NamedEnvironment,
        several: bool,
        signed_in: Result<Option<SignIn>, ConnectError>,
    ) -> Result<Connection, ConnectError> {
        let sign_in = match signed_in? {
            Some(sign_in) => sign_in,
            None => self.open_named(one, several).await?,
        };
        let target = one.target.clone();
        let connection = self.connect_with(target, sign_in.signed_in()).await?;
        self.announce(&sign_in, connection.reader().identity());
        Ok(connection)
    }

    /// `None` where no user has to be asked.
    async fn sign_in_in_turn(
        &self,
        one: &NamedEnvironment,
    ) -> Result<Option<SignIn>, ConnectError> {
        if !may_turn_to_a_person(&chosen(&one.target)?.method) {
            return Ok(None);
        }
        self.notices.status(&format!("Signing in to {}.", one.name));
        let sign_in = self.open_named(one, true).await?;
        self.sign_in_now(&sign_in).await?;
        Ok(Some(sign_in))
    }

    async fn open_named(
        &self,
        one: &NamedEnvironment,
        several: bool,
    ) -> Result<SignIn, ConnectError> {
        let name = several.then_some(one.name.as_str());
        self.open_sign_in(name, &one.target).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_done_side_by_side_comes_back_in_order() {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let first = async move {
            receiver.await.unwrap();
            1
        };
        let second = async move {
            sender.send(()).unwrap();
            2
        };
        let work: [std::pin::Pin<Box<dyn Future<Output = i32>>>; 2] =
            [Box::pin(first), Box::pin(second)];
        let at_once = NonZeroUsize::new(2).unwrap();
        assert_eq!(side_by_side(at_once, work).await, [1, 2]);
    }
}
