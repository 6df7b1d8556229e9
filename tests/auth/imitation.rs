//! A server on loopback that is environment, identity provider and metadata service at once, and answers from a script.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Fields of the query and of the form.
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Imitation {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    seen: Mutex<Vec<Seen>>,
    /// What the endpoints answer, by the last segment of their path.
    scripts: Mutex<BTreeMap<String, VecDeque<(u16, Value)>>>,
    challenge: Mutex<Vec<String>>,
    /// The tokens that the environment accepts; any where there are none.
    accepted: Mutex<Vec<String>>,
}

/// The only id there is.
const ID: &str = "00000000-0000-0000-0000-000000000001";

/// The path of the authority at Entra.
pub(crate) const ENTRA: &str = "/tenant-1/oauth2/authorize";
/// The path of the authority at AD FS.
pub(crate) const AD_FS: &str = "/adfs/oauth2/authorize";

impl Imitation {
    pub(crate) async fn start(authority: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let imitation = Self {
            inner: Arc::default(),
            url: url.clone(),
        };
        imitation.challenge(&[&format!(
            "Bearer authorization_uri={url}{authority}, resource_id={url}/"
        )]);
        let server = imitation.clone();
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let answer = server.answer(&method, &uri, headers, &body);
            async move { answer }
        };
        let router = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        imitation
    }

    /// What an unauthenticated request is answered.
    pub(crate) fn challenge(&self, headers: &[&str]) {
        *self.inner.challenge.lock().unwrap() =
            headers.iter().map(|text| (*text).to_owned()).collect();
    }

    /// The environment accepts no token but these.
    pub(crate) fn accept(&self, tokens: &[&str]) {
        *self.inner.accepted.lock().unwrap() =
            tokens.iter().map(|text| (*text).to_owned()).collect();
    }

    /// The next answers of an endpoint, such as `token`; the last one is repeated.
    pub(crate) fn script(&self, endpoint: &str, answers: &[(u16, Value)]) {
        let mut scripts = self.inner.scripts.lock().unwrap();
        scripts.insert(endpoint.to_owned(), answers.iter().cloned().collect());
    }

    /// The requests to an endpoint.
    pub(crate) fn seen(&self, endpoint: &str) -> Vec<Seen> {
        let seen = self.inner.seen.lock().unwrap();
        let to = |seen: &&Seen| seen.path.rsplit('/').next() == Some(endpoint);
        seen.iter().filter(to).cloned().collect()
    }

    fn answer(&self, method: &Method, uri: &Uri, headers: HeaderMap, body: &[u8]) -> Response {
        let query = uri.query().unwrap_or_default().as_bytes();
        let fields = form_urlencoded::parse(query).chain(form_urlencoded::parse(body));
        let seen = Seen {
            method: method.to_string(),
            path: uri.path().to_owned(),
            fields: fields
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            headers,
        };
        self.inner.seen.lock().unwrap().push(seen.clone());
        if seen.path.contains("/api/data/") {
            return self.environment(&seen);
        }
        let endpoint = seen.path.rsplit('/').next().unwrap_or_default();
        if endpoint == "authorize" {
            return self.authorize(&seen);
        }
        let mut scripts = self.inner.scripts.lock().unwrap();
        let Some(script) = scripts.get_mut(endpoint) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let next = if script.len() > 1 {
            script.pop_front()
        } else {
            script.front().cloned()
        };
        let (status, document) = next.unwrap();
        answer(status, &document)
    }

    /// The browser signs in at once, and is sent back.
    fn authorize(&self, seen: &Seen) -> Response {
        let mut back = Url::parse(&seen.fields["redirect_uri"]).unwrap();
        let script = self.inner.scripts.lock().unwrap().get("authorize").cloned();
        let refusal = script.and_then(|mut script| script.pop_front());
        match refusal {
            Some((_, refusal)) => back
                .query_pairs_mut()
                .append_pair("error", refusal["error"].as_str().unwrap())
                .append_pair(
                    "error_description",
                    refusal["error_description"].as_str().unwrap(),
                ),
            None => back.query_pairs_mut().append_pair("code", "code-1"),
        };
        back.query_pairs_mut()
            .append_pair("state", &seen.fields["state"]);
        (StatusCode::FOUND, [("location", back.to_string())]).into_response()
    }

    /// As much of the Web API as says who signed in.
    fn environment(&self, seen: &Seen) -> Response {
        let token = seen.headers.get("authorization");
        let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let accepted = self.inner.accepted.lock().unwrap();
        let good = |token: &str| accepted.is_empty() || accepted.iter().any(|a| a == token);
        if !token.is_some_and(good) {
            let mut response = StatusCode::UNAUTHORIZED.into_response();
            for challenge in self.inner.challenge.lock().unwrap().iter() {
                response
                    .headers_mut()
                    .append("www-authenticate", challenge.parse().unwrap());
            }
            return response;
        }
        let document = match seen.path.rsplit('/').next().unwrap_or_default() {
            "WhoAmI" => json!({"UserId": ID, "BusinessUnitId": ID, "OrganizationId": ID}),
            "RetrieveVersion()" => json!({"Version": "9.2.24114.181"}),
            "organizations" => json!({"value": [{"name": "contoso"}]}),
            _ => {
                json!({"systemuserid": ID, "fullname": "Robot", "domainname": "robot@contoso.example"})
            }
        };
        answer(200, &document)
    }
}

fn answer(status: u16, document: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let headers = [("content-type", "application/json; charset=utf-8")];
    (status, headers, document.to_string()).into_response()
}

/// A token as Entra v2 answers.
pub(crate) fn token(text: &str) -> (u16, Value) {
    (
        200,
        json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": text}),
    )
}

/// A refusal as Entra answers.
pub(crate) fn aadsts(code: u64, error: &str, text: &str) -> (u16, Value) {
    let description = format!(
        "AADSTS{code}: {text}\r\nTrace ID: trace-1\r\nCorrelation ID: correlation-1\r\nTimestamp: 2026-11-24 10:00:00Z"
    );
    (
        400,
        json!({
            "error": error, "error_description": description, "error_codes": [code],
            "timestamp": "2026-11-24 10:00:00Z", "trace_id": "trace-1", "correlation_id": "correlation-1",
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}")
        }),
    )
}
