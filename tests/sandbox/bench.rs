//! A client that adds nothing: what a test sends is what it writes down.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, redirect};
use serde_json::Value;
use syncfilters::sandbox::{
    Faults, FilterSnapshot, Limits, Options, Sandbox, Switches, UserKind, UserSnapshot,
};

/// A running sandbox and a client for it.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    pub(crate) root: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or("?")
            .to_owned()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"]
            .as_str()
            .unwrap_or("?")
            .to_owned()
    }

    pub(crate) fn rows(&self) -> Vec<Value> {
        self.json()["value"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub(crate) fn client() -> Client {
    syncfilters::auth::client_builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap()
}

/// A sandbox of 60 people with these switches.
pub(crate) async fn bench(switches: &str) -> Bench {
    with(Options {
        switches: Switches::parse(switches).unwrap(),
        ..Options::default()
    })
    .await
}

pub(crate) async fn with_faults(faults: &str) -> Bench {
    with(Options {
        faults: Faults::parse(faults).unwrap(),
        ..Options::default()
    })
    .await
}

pub(crate) async fn with_limits(limits: Limits, switches: &str) -> Bench {
    with(Options {
        limits,
        switches: Switches::parse(switches).unwrap(),
        ..Options::default()
    })
    .await
}

pub(crate) async fn with(options: Options) -> Bench {
    let version = options.version;
    let sandbox = Sandbox::start(options).await.unwrap();
    Bench {
        root: format!("{}api/data/v{version}/", sandbox.url()),
        client: client(),
        sandbox,
    }
}

impl Bench {
    /// Sends exactly this, without a token.
    pub(crate) async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> reqwest::Result<Answer> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let url = if url.contains("://") {
            url.to_owned()
        } else {
            format!("{}{url}", self.root)
        };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self
            .client
            .request(method, url)
            .headers(map)
            .body(body.to_owned());
        let response = request.send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    }

    /// As the administrator.
    pub(crate) async fn call(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.try_call(method, url, headers, body).await.unwrap()
    }

    pub(crate) async fn try_call(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> reqwest::Result<Answer> {
        let token = format!("Bearer {}", self.sandbox.token());
        let mut all = vec![("Authorization", token.as_str())];
        all.extend_from_slice(headers);
        self.send(method, url, &all, body).await
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.call("GET", url, &[], "").await
    }

    /// GET under impersonation by `systemuserid`.
    pub(crate) async fn get_as(&self, user: &UserSnapshot, url: &str) -> Answer {
        self.call("GET", url, &[("MSCRMCallerID", &user.id.to_string())], "")
            .await
    }

    /// PATCH under impersonation by `systemuserid`.
    pub(crate) async fn patch_as(
        &self,
        user: &UserSnapshot,
        filter: &FilterSnapshot,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let id = user.id.to_string();
        let mut all = vec![
            ("MSCRMCallerID", id.as_str()),
            ("Content-Type", "application/json"),
        ];
        all.extend_from_slice(headers);
        self.call("PATCH", &format!("userqueries({})", filter.id), &all, body)
            .await
    }

    /// Somebody of this kind.
    pub(crate) fn somebody(&self, kind: UserKind) -> UserSnapshot {
        let mut users = self.sandbox.users().into_iter();
        users.find(|it| it.kind == kind).unwrap()
    }

    /// Somebody without kinds, all of whose sync filters are plainly active.
    pub(crate) fn ordinary(&self) -> UserSnapshot {
        let filters = self.sandbox.filters();
        let plain = |user: &UserSnapshot| {
            let mut own = filters.iter().filter(|it| it.owner == user.id);
            own.all(|it| (it.statecode, it.statuscode) == (0, Some(1)))
        };
        let mut users = self.sandbox.users().into_iter();
        users
            .find(|it| it.kind == UserKind::Ordinary && plain(it))
            .unwrap()
    }

    /// The filter for appointments of a user, active.
    pub(crate) fn filter_of(&self, user: &UserSnapshot) -> FilterSnapshot {
        let mut filters = self.sandbox.filters().into_iter();
        filters
            .find(|it| {
                it.owner == user.id && it.querytype == 256 && it.filter_type == "serviceappointment"
            })
            .unwrap()
    }

    /// The same filter now.
    pub(crate) fn now(&self, filter: &FilterSnapshot) -> FilterSnapshot {
        let mut filters = self.sandbox.filters().into_iter();
        filters.find(|it| it.id == filter.id).unwrap()
    }
}

pub(crate) const DEACTIVATE: &str = r#"{"statecode":1,"statuscode":2}"#;
