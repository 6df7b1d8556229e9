//! Signing in as whoever signed in to the Azure CLI or the Azure Developer CLI.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::SignInError;
use super::authority::checked_tenant;
use super::cache::{Grant, Occasion};
use super::token::Token;

/// A tool starts slowly, and may itself wait for the network.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How much of what a tool complains about is shown, in characters.
const EXCERPT: usize = 300;

/// A command-line tool that hands out tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `az`.
    Azure,
    /// `azd`.
    AzureDeveloper,
}

impl Tool {
    const fn name(self) -> &'static str {
        match self {
            Self::Azure => "az",
            Self::AzureDeveloper => "azd",
        }
    }

    /// Where the tool is, looking through the folders of `PATH` (never the current one).
    pub fn find(self, path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
        let names: &[&str] = match (self, cfg!(windows)) {
            (Self::Azure, true) => &["az.cmd", "az.exe"],
            (Self::Azure, false) => &["az"],
            (Self::AzureDeveloper, true) => &["azd.exe"],
            (Self::AzureDeveloper, false) => &["azd"],
        };
        let folders = std::env::split_paths(path?).filter(|folder| folder.is_absolute());
        let mut places = folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
        places.find(|place| place.is_file())
    }

    fn arguments(self, resource: &str, tenant: Option<&str>) -> Vec<String> {
        let scope = format!("{resource}/.default");
        let mut arguments: Vec<String> = match self {
            Self::Azure => vec!["account", "get-access-token", "--output", "json", "--scope"],
            Self::AzureDeveloper => {
                vec![
                    "auth",
                    "token",
                    "--output",
                    "json",
                    "--no-prompt",
                    "--scope",
                ]
            }
        }
        .into_iter()
        .map(str::to_owned)
        .collect();
        arguments.push(scope);
        if let Some(tenant) = tenant {
            let flag = match self {
                Self::Azure => "--tenant",
                Self::AzureDeveloper => "--tenant-id",
            };
            arguments.extend([flag.to_owned(), tenant.to_owned()]);
        }
        arguments
    }

    fn read(self, output: &[u8], now: Timestamp) -> Option<Token> {
        let (token, end) = match self {
            Self::Azure => {
                let answer: AzureAnswer = serde_json::from_slice(output).ok()?;
                let end = answer.expires_on.map(Timestamp::from_second);
                (answer.access_token, end.and_then(Result::ok))
            }
            Self::AzureDeveloper => {
                let answer: DeveloperAnswer = serde_json::from_slice(output).ok()?;
                (answer.token, answer.expires_on)
            }
        };
        let left = end.map(|end| Duration::try_from(end.duration_since(now)).unwrap_or_default());
        Some(Token::new(token.expose_secret(), left))
    }
}

/// `expiresOn` beside `expires_on` is local time without a zone, and of no use.
#[derive(Deserialize)]
struct AzureAnswer {
    #[serde(rename = "accessToken")]
    access_token: SecretString,
    expires_on: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeveloperAnswer {
    token: SecretString,
    expires_on: Option<Timestamp>,
}

/// Asks a tool.
#[derive(Debug)]
pub(super) struct ToolGrant {
    tool: Tool,
    program: PathBuf,
    arguments: Vec<String>,
}

impl ToolGrant {
    /// The arguments are checked, because `az` is a batch file on Windows.
    pub(super) fn new(
        tool: Tool,
        program: PathBuf,
        resource: &str,
        tenant: Option<&str>,
    ) -> Result<Self, SignInError> {
        let tenant = tenant.map(checked_tenant).transpose()?;
        let good = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
        if !resource.chars().all(good) {
            let why = "the address of the environment cannot stand in a command line";
            return Err(SignInError::unusable(tool.name(), why));
        }
        Ok(Self {
            tool,
            program,
            arguments: tool.arguments(resource, tenant.as_deref()),
        })
    }

    async fn ask(&self) -> Result<Token, SignInError> {
        let what = format!("asking {} for a token", self.tool.name());
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // What is ours alone is not the tool's business.
        command.env_remove("SYNCFILTERS_ACCESS_TOKEN");
        let output = tokio::time::timeout(TIMEOUT, command.output()).await;
        let output = output
            .map_err(|_| SignInError::bad_answer(&what, "it did not answer within a minute"))?
            .map_err(|error| SignInError::unusable(&what, error))?;
        if !output.status.success() {
            return Err(SignInError::tool_refused(&what, complaint(&output.stderr)));
        }
        self.tool
            .read(&output.stdout, Timestamp::now())
            .ok_or_else(|| SignInError::bad_answer(&what, "its answer holds no token"))
    }
}

/// The last line that says something: azd wraps its in JSON, az begins with `ERROR:`.
fn complaint(stderr: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Line {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        message: String,
    }
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or("it failed without a word");
    let message = match serde_json::from_str::<Line>(first) {
        Ok(line) => line.data.message,
        Err(_) => first.to_owned(),
    };
    let message = message
        .trim()
        .trim_start_matches("ERROR:")
        .trim()
        .to_owned();
    message
        .chars()
        .filter(|c| !c.is_control())
        .take(EXCERPT)
        .collect()
}

impl Grant for ToolGrant {
    fn fetch(&self, _: Occasion) -> BoxFuture<'_, Result<Token, SignInError>> {
        self.ask().boxed()
    }

    fn describe(&self) -> String {
        match self.tool {
            Tool::Azure => "the Azure CLI".into(),
            Tool::AzureDeveloper => "the Azure Developer CLI".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_is_asked_in_its_own_words() {
        let resource = "https://contoso.crm4.dynamics.com";
        assert_eq!(
            Tool::Azure.arguments(resource, Some("t-1")).join(" "),
            "account get-access-token --output json --scope https://contoso.crm4.dynamics.com/.default --tenant t-1"
        );
        assert_eq!(
            Tool::AzureDeveloper
                .arguments(resource, Some("t-1"))
                .join(" "),
            "auth token --output json --no-prompt --scope https://contoso.crm4.dynamics.com/.default --tenant-id t-1"
        );
    }

    #[test]
    fn the_end_of_a_token_is_read_from_the_time_that_has_a_zone() {
        let now = Timestamp::from_second(1_795_446_000).unwrap();
        let az = br#"{"accessToken":"a","expiresOn":"2026-11-23 15:00:00.000000","expires_on":1795449600,"tokenType":"Bearer"}"#;
        assert_eq!(Tool::Azure.read(az, now).unwrap().lifetime.as_secs(), 3600);
        let azd = br#"{"token":"a","expiresOn":"2026-11-23T16:00:00Z"}"#;
        let token = Tool::AzureDeveloper.read(azd, now).unwrap();
        assert_eq!(
            token.lifetime.as_secs(),
            u64::try_from(
                "2026-11-23T16:00:00Z"
                    .parse::<Timestamp>()
                    .unwrap()
                    .as_second()
                    - 1_795_446_000
            )
            .unwrap()
        );
        assert!(Tool::Azure.read(b"canary", now).is_none());
    }

    #[test]
    fn what_could_be_read_as_an_option_or_a_command_is_refused() {
        let new = |resource: &str, tenant: &str| {
            ToolGrant::new(Tool::Azure, "az".into(), resource, Some(tenant))
        };
        assert!(new("https://contoso.example", "t-1").is_ok());
        assert!(new("https://contoso.example", "--debug").is_err());
        assert!(new("https://contoso.example", "a & calc").is_err());
        assert!(new("https://contoso.example/&calc", "t-1").is_err());
    }

    #[test]
    fn a_complaint_is_one_line_without_wrapping() {
        assert_eq!(
            complaint(b"ERROR: Please run 'az login' to setup account.\nmore"),
            "Please run 'az login' to setup account."
        );
        let azd = br#"{"type":"consoleMessage","data":{"message":"\nERROR: not logged in\n"}}"#;
        assert_eq!(complaint(azd), "not logged in");
    }
}
