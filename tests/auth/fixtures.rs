//! What the tests of signing in share.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use std::io::Write;
use syncfilters::auth::{
    Http, NoPrompt, PromptText, SecretFrom, SignInError, SignInMethod, SignInTarget, TokenSource,
    UserPrompt, open,
};
use syncfilters::model::EnvironmentUrl;
use syncfilters::pacing::RetryPolicy;
use syncfilters::settings::{Address, Origin};

use crate::imitation::Imitation;

/// An address as if it had been given by flag.
pub(crate) fn given(environment: &EnvironmentUrl) -> Address {
    Address::given(&environment.to_string(), &Origin::Flag("--url")).unwrap()
}

/// No patience at all, so that tests do not wait.
pub(crate) fn http() -> Http {
    Http::new().unwrap().with_patience(RetryPolicy {
        max_attempts: 3,
        base: Duration::from_millis(1),
        cap: Duration::from_millis(2),
        wait_allowance: Duration::from_secs(5),
        ..RetryPolicy::default()
    })
}

/// The imitation, vouched for by the profile.
pub(crate) fn place(imitation: &Imitation) -> SignInTarget {
    SignInTarget {
        environment: imitation.url.parse().unwrap(),
        tenant: None,
        authority: Some(imitation.url.clone()),
        known: None,
    }
}

pub(crate) async fn source(
    imitation: &Imitation,
    method: &SignInMethod,
) -> Result<Arc<dyn TokenSource>, SignInError> {
    let nobody: Arc<dyn UserPrompt> = Arc::new(NoPrompt);
    open(method, &place(imitation), &http(), &nobody).await
}

/// The text of the next token.
pub(crate) async fn bearer(source: &Arc<dyn TokenSource>) -> Result<String, SignInError> {
    let bearer = source.bearer().await?;
    let header = bearer.header()?;
    Ok(header.to_str().unwrap()["Bearer ".len()..].to_owned())
}

/// A file that only its owner may read.
pub(crate) fn private(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    path
}

pub(crate) fn secret_in(folder: &Path, text: &str) -> SecretFrom {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("secret-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    SecretFrom::File(private(folder, &name, text))
}

/// A person who does as asked: follows the browser's address, and keeps what was said.
#[derive(Debug, Default)]
pub(crate) struct Willing {
    pub(crate) shown: Mutex<Vec<PromptText>>,
}

impl UserPrompt for Willing {
    fn is_there(&self) -> bool {
        true
    }

    fn tell(&self, notice: &PromptText) {
        self.shown.lock().unwrap().push(notice.clone());
        if let PromptText::Browser { address, .. } = notice {
            let address = address.clone();
            // The default follows redirects, as a browser does.
            tokio::spawn(async move { reqwest::get(address).await });
        }
    }

    fn open(&self, _: &str) -> bool {
        false
    }

    fn ask(&self, _: &str) -> Option<SecretString> {
        None
    }
}
