//! The same flows against a certified `OpenID` provider, `oidc-provider` from the npm registry, with the routes of Entra
//! and of AD FS. It knows nothing of this program, and checks signatures, PKCE, codes and rotation for real.
//!
//! It runs where Node is present and `.ci/run` has installed the package; elsewhere the tests say that they are skipped.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use syncfilters::auth::{
    Challenge, PromptText, SignInError, SignInMethod, SignInTarget, TokenSource, TokenStore,
    UserPrompt, open,
};
use tempfile::TempDir;
use url::Url;

use crate::applications::PEM;
use crate::fixtures::{bearer, http, private, secret_in};

/// The certificate of somebody else.
const OTHER_PEM: &str = include_str!("certificates/rsa-3072.pem");

/// The secret of the application `with-secret`.
pub(crate) const SECRET: &str = "canary~+&= of at least thirty-two characters";

pub(crate) struct Provider {
    process: Child,
    url: String,
    authority: &'static str,
    folder: TempDir,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where `.ci/run` installs the package.
fn modules() -> Option<PathBuf> {
    let named = std::env::var_os("SYNCFILTERS_TEST_MODULES").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let folder = named.or_else(|| Some(cache?.join("syncfilters-tests")))?;
    folder
        .join("node_modules/oidc-provider")
        .is_dir()
        .then_some(folder)
}

/// Said past the test runner, which would swallow it.
fn skipped<T>(why: &str) -> Option<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test says it past the capture of its output"
    )]
    let mut err = std::io::stderr();
    let _ = writeln!(err, "skipped: {why}");
    None
}

impl Provider {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// With the routes of Entra, for an environment of another address.
    pub(crate) fn for_environment(url: &str) -> Option<Self> {
        Self::start("entra", "/tenant-1/oauth2/authorize", Some(url))
    }

    fn start(kind: &str, authority: &'static str, environment: Option<&str>) -> Option<Self> {
        let Some(modules) = modules() else {
            return skipped("oidc-provider is not installed; .ci/run installs it");
        };
        let folder = tempfile::tempdir().unwrap();
        let certificate = private(folder.path(), "app.pem", PEM);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/auth/provider.mjs");
        let process = Command::new("node")
            .arg(script)
            .arg(modules)
            .arg(kind)
            .arg(certificate)
            .args(environment)
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut process) = process else {
            return skipped("Node is not installed");
        };
        let mut port = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut port).unwrap();
        Some(Self {
            process,
            url: format!("http://127.0.0.1:{}", port.trim()),
            authority,
            folder,
        })
    }

    fn entra() -> Option<Self> {
        Self::start("entra", "/tenant-1/oauth2/authorize", None)
    }

    fn ad_fs() -> Option<Self> {
        Self::start("ad-fs", "/adfs/oauth2/authorize", None)
    }

    async fn source(
        &self,
        method: &SignInMethod,
        person: &Arc<dyn UserPrompt>,
    ) -> Result<Arc<dyn TokenSource>, SignInError> {
        let place = SignInTarget {
            environment: self.url.parse().unwrap(),
            tenant: None,
            authority: Some(self.url.clone()),
            known: Some(Challenge {
                authorization_uri: Some(format!("{}{}", self.url, self.authority)),
                resource: Some(format!("{}/", self.url)),
                ..Challenge::default()
            }),
        };
        open(method, &place, &http(), person).await
    }

    fn nobody(&self) -> Arc<dyn UserPrompt> {
        self.anna()
    }

    fn anna(&self) -> Arc<dyn UserPrompt> {
        Arc::new(Anna {
            provider: self.url.clone(),
            shown: Mutex::default(),
        })
    }

    fn secret(&self, text: &str) -> SignInMethod {
        SignInMethod::ClientSecret {
            client_id: "with-secret".into(),
            secret: secret_in(self.folder.path(), text),
        }
    }

    fn certificate(&self) -> SignInMethod {
        SignInMethod::Certificate {
            client_id: "with-certificate".into(),
            file: self.folder.path().join("app.pem"),
            password: None,
        }
    }
}

/// Agrees to everything.
#[derive(Debug)]
struct Anna {
    provider: String,
    shown: Mutex<usize>,
}

impl UserPrompt for Anna {
    fn is_there(&self) -> bool {
        true
    }

    fn tell(&self, notice: &PromptText) {
        *self.shown.lock().unwrap() += 1;
        match notice.clone() {
            PromptText::Code { code, .. } => {
                let url = format!("{}/agree?user_code={code}", self.provider);
                tokio::spawn(async move { reqwest::get(url).await });
            }
            PromptText::Browser { address, .. } => {
                tokio::spawn(browse(address));
            }
            PromptText::NotKept { .. } => {}
        }
    }

    fn open(&self, _: &str) -> bool {
        false
    }

    fn ask(&self, _: &str) -> Option<SecretString> {
        None
    }
}

/// Follows redirects with cookies, as a browser does.
pub(crate) async fn browse(address: String) {
    let client = syncfilters::auth::client_builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let (mut url, mut cookies) = (Url::parse(&address).unwrap(), BTreeMap::new());
    for _ in 0..10 {
        let header: Vec<_> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request = client.get(url.clone()).header("cookie", header.join("; "));
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let Some(next) = response.headers().get("location") else {
            return;
        };
        url = url.join(next.to_str().unwrap()).unwrap();
    }
}

#[tokio::test]
async fn the_provider_takes_a_secret_and_refuses_a_wrong_one() {
    let Some(provider) = Provider::entra() else {
        return;
    };
    let good = provider.secret(SECRET);
    let source = provider.source(&good, &provider.nobody()).await.unwrap();
    assert!(!bearer(&source).await.unwrap().is_empty());
    let wrong = provider.secret("canary of another application");
    let source = provider.source(&wrong, &provider.nobody()).await.unwrap();
    let error = bearer(&source).await.unwrap_err();
    assert!(matches!(error, SignInError::Refused { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn the_provider_takes_a_statement_signed_in_both_ways_and_each_once() {
    for provider in [Provider::entra(), Provider::ad_fs()] {
        let Some(provider) = provider else { return };
        let source = provider
            .source(&provider.certificate(), &provider.nobody())
            .await;
        let source = source.unwrap();
        let first = source.bearer().await.unwrap();
        // The provider would refuse the same statement a second time.
        assert!(source.refused(&first));
        assert!(!bearer(&source).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_provider_refuses_the_statement_of_another_certificate() {
    let Some(provider) = Provider::entra() else {
        return;
    };
    let other = SignInMethod::Certificate {
        client_id: "with-certificate".into(),
        file: private(provider.folder.path(), "other.pem", OTHER_PEM),
        password: None,
    };
    let source = provider.source(&other, &provider.nobody()).await.unwrap();
    let error = bearer(&source).await.unwrap_err();
    assert!(matches!(error, SignInError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn the_provider_sees_a_person_through_the_browser_and_renews_by_rotation() {
    for provider in [Provider::entra(), Provider::ad_fs()] {
        let Some(provider) = provider else { return };
        let method = SignInMethod::Browser {
            client_id: "public".into(),
            port: None,
            keep: TokenStore::File(provider.folder.path().join("kept")),
        };
        let person = provider.anna();
        let source = provider.source(&method, &person).await.unwrap();
        let first = source.bearer().await.unwrap();
        assert!(source.refused(&first));
        bearer(&source).await.unwrap();
        // The next command uses the refresh token that took the place of the first.
        let next = provider.source(&method, &person).await.unwrap();
        let renewed = next.bearer().await.unwrap();
        assert!(next.refused(&renewed));
        bearer(&next).await.unwrap();
        assert!(format!("{person:?}").ends_with("shown: Mutex { data: 1, poisoned: false, .. } }"));
    }
}

#[tokio::test]
async fn the_provider_sees_a_person_through_a_code() {
    let Some(provider) = Provider::entra() else {
        return;
    };
    let method = SignInMethod::DeviceCode {
        client_id: "public".into(),
        keep: TokenStore::No,
    };
    let source = provider.source(&method, &provider.anna()).await.unwrap();
    assert!(!bearer(&source).await.unwrap().is_empty());
}
