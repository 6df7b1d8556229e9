//! One token for all workers: cached, renewed early, renewed once after a refusal, and requested by one worker at a
//! time.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tracing::{info, warn};

use super::token::{Age, Times, Token};
use super::{Bearer, SignInError, TokenSource};

/// How long a token that replaced a refused one has to last. If it is refused sooner, the reason is one that no other
/// token cures; if later, it has worked, and the reason is a new one.
const PROBATION: Duration = Duration::from_mins(5);

/// Whether a user may be asked during this token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// At the start of a command: a user may be asked.
    First,
    /// During a run: only methods that work without a user.
    Renewal,
}

/// Gets one token. It stores none itself.
pub(super) trait Grant: Send + Sync + fmt::Debug {
    fn fetch(&self, occasion: Occasion) -> BoxFuture<'_, Result<Token, SignInError>>;

    /// How this signs in, for people. It contains no secret.
    fn describe(&self) -> String;

    /// Whether the identity provider is an AD FS.
    fn is_ad_fs(&self) -> bool {
        false
    }
}

#[derive(Debug)]
pub(super) struct Cached<G> {
    grant: G,
    kept: Mutex<Kept>,
    /// Held while a token is being requested.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    token: Option<(Bearer, Times)>,
    /// Numbers the tokens.
    generations: u64,
    /// Whether the server refused the cached token.
    refused: bool,
    /// When the cached token replaced a refused one, if it did.
    after_refusal: Option<Instant>,
    /// A final refusal of the provider, which is not asked again.
    failed: Option<SignInError>,
    /// Counts failed requests, so that all workers that waited for one get the same error.
    failures: u64,
    last_failure: Option<SignInError>,
}

impl Kept {
    fn usable(&self, now: Instant) -> Result<Option<(Bearer, Age)>, SignInError> {
        let usable = self.token.as_ref().filter(|_| !self.refused);
        let alive = usable.map(|(bearer, times)| (bearer.clone(), times.age(now)));
        match alive.filter(|(_, age)| *age != Age::Dead) {
            Some(alive) => Ok(Some(alive)),
            None => self.failed.clone().map_or(Ok(None), Err),
        }
    }

    fn keep(&mut self, token: &Token, now: Instant) -> Bearer {
        self.generations += 1;
        self.after_refusal = std::mem::take(&mut self.refused).then_some(now);
        let bearer = Bearer::of_generation(token.access.expose_secret(), self.generations);
        self.token = Some((bearer.clone(), Times::new(now, token.lifetime)));
        bearer
    }

    /// Whether another token may be requested in place of this one.
    fn refuse(&mut self, bearer: &Bearer, now: Instant) -> bool {
        if self.failed.is_some() {
            return false;
        }
        if bearer.generation() < self.generations {
            // An old token; a newer one is cached.
            return true;
        }
        let just_now = |since: Instant| now < since + PROBATION;
        if self.after_refusal.is_some_and(just_now) {
            return false;
        }
        self.refused = true;
        true
    }
}

impl<G: Grant> Cached<G> {
    pub(super) fn new(grant: G) -> Self {
        Self {
            grant,
            kept: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // The values are consistent at every point at which a holder of the lock could panic.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn current(&self) -> Result<Bearer, SignInError> {
        let (found, failures) = {
            let kept = self.kept();
            (kept.usable(Instant::now())?, kept.failures)
        };
        match found {
            Some((bearer, Age::Fresh)) => Ok(bearer),
            Some((bearer, _)) => self.renew_early(bearer).await,
            None => self.fetch(failures).await,
        }
    }

    /// One worker requests the next token; the others continue with the present one, which still works.
    async fn renew_early(&self, old: Bearer) -> Result<Bearer, SignInError> {
        let Ok(_fetching) = self.fetching.try_lock() else {
            return Ok(old);
        };
        if let Some((bearer, Age::Fresh)) = self.kept().usable(Instant::now())? {
            return Ok(bearer);
        }
        match self.grant.fetch(Occasion::Renewal).await {
            Ok(token) => {
                info!("the access token was renewed");
                Ok(self.kept().keep(&token, Instant::now()))
            }
            Err(error) => {
                warn!(%error, "the access token could not be renewed yet; the old one still works");
                if let Some((_, times)) = &mut self.kept().token {
                    times.renewal_failed(Instant::now());
                }
                Ok(old)
            }
        }
    }

    /// Requests a token where none works. `seen` is the number of failures before the wait.
    async fn fetch(&self, seen: u64) -> Result<Bearer, SignInError> {
        let _fetching = self.fetching.lock().await;
        let occasion = {
            let kept = self.kept();
            if let Some((bearer, _)) = kept.usable(Instant::now())? {
                return Ok(bearer);
            }
            match &kept.last_failure {
                Some(error) if kept.failures > seen => return Err(error.clone()),
                _ if kept.generations == 0 => Occasion::First,
                _ => Occasion::Renewal,
            }
        };
        let result = self.grant.fetch(occasion).await;
        let mut kept = self.kept();
        match result {
            Ok(token) => Ok(kept.keep(&token, Instant::now())),
            Err(error) => {
                kept.failures += 1;
                kept.last_failure = Some(error.clone());
                if !error.is_passing() {
                    kept.failed = Some(error.clone());
                }
                Err(error)
            }
        }
    }
}

impl<G: Grant> TokenSource for Cached<G> {
    fn bearer(&self) -> BoxFuture<'_, Result<Bearer, SignInError>> {
        self.current().boxed()
    }

    fn refused(&self, bearer: &Bearer) -> bool {
        self.kept().refuse(bearer, Instant::now())
    }

    fn describe(&self) -> String {
        self.grant.describe()
    }

    fn waits_for(&self) -> Option<String> {
        let fetching = self.fetching.try_lock().is_err();
        fetching.then(|| self.describe())
    }

    fn is_on_premises(&self) -> bool {
        self.grant.is_ad_fs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::refusal::SignInRefusal;
    use std::collections::VecDeque;

    /// Answers what it was given, in order, each after a second.
    #[derive(Debug, Default)]
    struct Script {
        answers: Mutex<VecDeque<Result<Token, SignInError>>>,
        asked: Mutex<Vec<Occasion>>,
    }

    impl Grant for Script {
        fn fetch(&self, occasion: Occasion) -> BoxFuture<'_, Result<Token, SignInError>> {
            self.asked.lock().unwrap().push(occasion);
            let answer = self.answers.lock().unwrap().pop_front();
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                answer.expect("more tokens were asked for than expected")
            }
            .boxed()
        }

        fn describe(&self) -> String {
            "a script".into()
        }
    }

    fn source(answers: impl IntoIterator<Item = Result<Token, SignInError>>) -> Cached<Script> {
        Cached::new(Script {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: Mutex::default(),
        })
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands among failures")]
    fn token(text: &str) -> Result<Token, SignInError> {
        Ok(Token::new(text, Some(Duration::from_hours(1))))
    }

    fn refusal(word: &str) -> SignInError {
        SignInError::Refused {
            what: "signing in".into(),
            refusal: Box::new(SignInRefusal::plain(word, None)),
            consent: None,
        }
    }

    fn text(bearer: &Bearer) -> String {
        bearer.header().unwrap().to_str().unwrap().to_owned()
    }

    async fn crowd(source: &Cached<Script>) -> Vec<Result<Bearer, SignInError>> {
        futures_util::future::join_all((0..50).map(|_| source.bearer())).await
    }

    #[tokio::test(start_paused = true)]
    async fn fifty_workers_cause_one_request() {
        let source = source([token("one")]);
        for bearer in crowd(&source).await {
            assert_eq!(text(&bearer.unwrap()), "Bearer one");
        }
        assert_eq!(*source.grant.asked.lock().unwrap(), [Occasion::First]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_early_by_one_worker_while_the_others_go_on() {
        let source = source([token("one"), token("two")]);
        source.bearer().await.unwrap();
        tokio::time::advance(Duration::from_mins(56)).await;
        let texts: Vec<_> = crowd(&source)
            .await
            .into_iter()
            .map(|b| text(&b.unwrap()))
            .collect();
        assert_eq!(texts.iter().filter(|t| *t == "Bearer two").count(), 1);
        assert_eq!(text(&source.bearer().await.unwrap()), "Bearer two");
    }

    #[tokio::test(start_paused = true)]
    async fn an_early_renewal_may_fail_while_the_old_token_works() {
        let source = source([token("one"), Err(refusal("invalid_grant")), token("two")]);
        source.bearer().await.unwrap();
        tokio::time::advance(Duration::from_mins(56)).await;
        assert_eq!(text(&source.bearer().await.unwrap()), "Bearer one");
        assert_eq!(text(&source.bearer().await.unwrap()), "Bearer one");
        tokio::time::advance(Duration::from_secs(31)).await;
        assert_eq!(text(&source.bearer().await.unwrap()), "Bearer two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_renewed_once_for_everybody_and_then_no_more() {
        let source = source([token("one"), token("two")]);
        let first = source.bearer().await.unwrap();
        for _ in 0..50 {
            assert!(source.refused(&first));
        }
        for bearer in crowd(&source).await {
            assert_eq!(text(&bearer.unwrap()), "Bearer two");
        }
        // Stragglers bring back the old one; the new one stays.
        assert!(source.refused(&first));
        let second = source.bearer().await.unwrap();
        assert_eq!(text(&second), "Bearer two");
        assert!(!source.refused(&second));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_has_worked_for_a_while_may_be_renewed_after_another_refusal() {
        let source = source([token("one"), token("two"), token("three")]);
        let first = source.bearer().await.unwrap();
        assert!(source.refused(&first));
        let second = source.bearer().await.unwrap();
        tokio::time::advance(PROBATION).await;
        assert!(source.refused(&second));
        assert_eq!(text(&source.bearer().await.unwrap()), "Bearer three");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_password_is_not_sent_again_by_anybody() {
        let source = source([Err(refusal("invalid_grant"))]);
        for bearer in crowd(&source).await {
            assert!(matches!(bearer, Err(SignInError::Refused { .. })));
        }
        assert!(source.bearer().await.is_err());
        assert_eq!(source.grant.asked.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_told_to_all_who_waited_and_tried_again_later() {
        let source = source([Err(refusal("temporarily_unavailable")), token("one")]);
        assert!(crowd(&source).await.iter().all(Result::is_err));
        assert_eq!(text(&source.bearer().await.unwrap()), "Bearer one");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_asked_anything_in_the_middle_of_a_run() {
        let source = source([token("one"), token("two")]);
        source.bearer().await.unwrap();
        tokio::time::advance(Duration::from_mins(61)).await;
        source.bearer().await.unwrap();
        assert_eq!(
            *source.grant.asked.lock().unwrap(),
            [Occasion::First, Occasion::Renewal]
        );
    }
}
