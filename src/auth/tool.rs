//! Signing in with the account of the Azure CLI or the Azure Developer CLI.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::authority::given_tenant;
use super::cache::{Grant, Occasion};
use super::complaint::{complaint, error_in, text};
use super::token::Token;
use super::{SignInError, answer};

/// How long a tool may take: it starts slowly, and may itself wait for the network as long as a token request may take.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The longest output of a tool that is read, in bytes: a token has some thousand, with warnings around it.
const LONGEST: u64 = 1 << 20;

/// A command-line tool that issues tokens.
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

    /// The path of the tool: searches the folders of `PATH`, and never the current one.
    pub fn find(self, path: Option<&std::ffi::OsStr>) -> Option<PathBuf> {
        let names = self.files(cfg!(windows));
        let folders = std::env::split_paths(path?).filter(|folder| folder.is_absolute());
        let mut places = folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
        places.find(|place| place.is_file())
    }

    /// File names of the program. On Windows `az` is a batch file: `.cmd` from its installer, `.bat` from
    /// `pip`, which may write an `.exe` as well.
    const fn files(self, on_windows: bool) -> &'static [&'static str] {
        match (self, on_windows) {
            (Self::Azure, true) => &["az.cmd", "az.bat", "az.exe"],
            (Self::Azure, false) => &["az"],
            (Self::AzureDeveloper, true) => &["azd.exe", "azd.cmd"],
            (Self::AzureDeveloper, false) => &["azd"],
        }
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

    /// The command that signs in to it.
    const fn login(self) -> &'static str {
        match self {
            Self::Azure => "az login",
            Self::AzureDeveloper => "azd auth login",
        }
    }
}

/// Reads the answer of a tool. An expired token counts as none.
fn read(output: &[u8], now: Timestamp, zone: &TimeZone) -> Option<Token> {
    let handed = answer::find(&text(output), zone)?;
    let left = handed.ends.map(|end| end.duration_since(now));
    let left = left.map(|left| Duration::try_from(left).unwrap_or_default());
    Some(Token::new(handed.token.expose_secret(), left))
}

/// Requests tokens from a tool.
#[derive(Debug)]
pub(super) struct ToolGrant {
    tool: Tool,
    program: PathBuf,
    arguments: Vec<String>,
}

impl ToolGrant {
    /// Checks the arguments, because `az` is a batch file on Windows.
    pub(super) fn new(
        tool: Tool,
        program: PathBuf,
        resource: &str,
        tenant: Option<&str>,
    ) -> Result<Self, SignInError> {
        let tenant = tenant.map(given_tenant).transpose()?;
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
        let output = run(&self.program, &self.arguments, &what).await?;
        let refused = |said| SignInError::tool_wants_login(&what, said, self.tool.login());
        let said = || {
            let outputs = [&output.stderr, &output.stdout];
            outputs.into_iter().find_map(|written| error_in(written))
        };
        if !output.status.success() {
            let said = said().unwrap_or_else(|| complaint(&output.stderr));
            return Err(refused(said));
        }
        read(&output.stdout, Timestamp::now(), &TimeZone::system()).ok_or_else(|| {
            said().map_or_else(
                || SignInError::bad_answer(&what, "its answer holds no token"),
                refused,
            )
        })
    }
}

/// Runs a command of the Azure CLI and returns its output.
///
/// # Errors
/// Where it fails, with its error message.
pub async fn run_azure_cli(program: &Path, arguments: &[String]) -> Result<String, SignInError> {
    const WHAT: &str = "running az";
    let output = run(program, arguments, WHAT).await?;
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        let said = error_in(&output.stderr).or_else(|| error_in(&output.stdout));
        let said = said.unwrap_or_else(|| complaint(&output.stderr));
        Err(SignInError::unusable(WHAT, said))
    }
}

/// Runs a tool to its end, with limits on time and output.
async fn run(program: &Path, arguments: &[String], what: &str) -> Result<Output, SignInError> {
    let mut command = tokio::process::Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    // The token is for this program only.
    command.env_remove("SYNCFILTERS_ACCESS_TOKEN");
    let output = tokio::time::timeout(TIMEOUT, output(command)).await;
    let output = output
        .map_err(|_| SignInError::bad_answer(what, "it did not answer within a minute"))?
        .map_err(|error| SignInError::unusable(what, error))?;
    let longest = usize::try_from(LONGEST).unwrap_or(usize::MAX);
    if output.stdout.len().max(output.stderr.len()) > longest {
        let why = "it wrote more than a megabyte";
        return Err(SignInError::bad_answer(what, why));
    }
    Ok(output)
}

/// Runs a program and reads at most one byte more than [`LONGEST`] of each of its outputs. A program that writes more
/// is blocked, and ended with the command.
async fn output(mut command: tokio::process::Command) -> io::Result<Output> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = tokio::try_join!(bounded(out), bounded(err))?;
    let status = child.wait().await?;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

async fn bounded(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(LONGEST + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
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
    use super::super::GivenToken;
    use super::*;

    #[test]
    fn a_tool_is_found_under_every_name_that_an_installer_gives_it() {
        let folder = tempfile::tempdir().unwrap();
        let on_windows = cfg!(windows);
        for tool in [Tool::Azure, Tool::AzureDeveloper] {
            assert_eq!(tool.find(Some(folder.path().as_os_str())), None);
            for name in tool.files(on_windows) {
                let place = folder.path().join(name);
                std::fs::write(&place, "").unwrap();
                let found = tool.find(Some(folder.path().as_os_str()));
                assert_eq!(found.as_ref(), Some(&place));
                std::fs::remove_file(place).unwrap();
            }
        }
        let names = Tool::Azure.files(true);
        assert!(names.contains(&"az.cmd") && names.contains(&"az.bat"));
    }

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
        assert_eq!(
            read(az, now, &TimeZone::UTC).unwrap().lifetime.as_secs(),
            3600
        );
        let azd = br#"{"token":"a","expiresOn":"2026-11-23T16:00:00Z"}"#;
        let token = read(azd, now, &TimeZone::UTC).unwrap();
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
        assert!(read(b"canary", now, &TimeZone::UTC).is_none());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn an_error_counts_on_either_output_and_whatever_the_exit_code() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let code = "AADSTS700082";
        let azd =
            r#"{"type":"consoleMessage","data":{"message":"\nERROR: AADSTS700082: expired\n"}}"#;
        let scripts = [
            format!("echo 'WARNING: {code}: expired' >&2; echo 'ERROR: {code}: expired' >&2"),
            format!("echo '{azd}'; exit 1"),
            format!("echo '{code}: expired'; echo '{{\"accessToken\":\"\"}}'"),
        ];
        for (at, script) in scripts.iter().enumerate() {
            let program = folder.path().join(format!("az{at}"));
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
            let resource = "https://contoso.crm4.dynamics.com";
            let tool = ToolGrant::new(Tool::AzureDeveloper, program, resource, None).unwrap();
            let error = tool.ask().await.unwrap_err();
            assert!(error.to_string().contains(code), "{script}: {error}");
            assert!(error.hint().unwrap().contains("azd auth login"), "{script}");
        }
    }

    #[test]
    fn what_could_be_read_as_an_option_or_a_command_is_refused() {
        let new = |resource: &str, tenant: &str| {
            ToolGrant::new(Tool::Azure, "az".into(), resource, Some(tenant))
        };
        assert!(new("https://contoso.example", "contoso.example").is_ok());
        assert!(new("https://contoso.example", "--debug").is_err());
        assert!(new("https://contoso.example", "a & calc").is_err());
        assert!(new("https://contoso.example/&calc", "contoso.example").is_err());
    }

    #[test]
    fn a_code_of_entra_that_a_tool_passes_on_has_its_advice() {
        let said = "AADSTS700082: The refresh token has expired due to inactivity.";
        let error = SignInError::tool_wants_login("asking az", said, Tool::Azure.login());
        let hint = error.hint().unwrap();
        assert!(
            hint.contains("`az login`") && !hint.contains("syncfilters"),
            "{hint}"
        );
        let error = SignInError::tool_wants_login("asking az", "no network", Tool::Azure.login());
        assert_eq!(error.hint(), None);
    }

    /// Each file in `tests/auth/az` is what `az` wrote: `….stderr.txt` a complaint, all others an answer.
    #[test]
    fn what_az_was_seen_to_write_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/auth/az");
        let now = Timestamp::from_second(1_795_599_000).unwrap();
        let (mut answers, mut complaints) = (0, 0);
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let (name, written) = (path.display(), std::fs::read(&path).unwrap());
            if path.to_str().unwrap().ends_with(".stderr.txt") {
                complaints += 1;
                let said = complaint(&written);
                assert!(said.starts_with("AADSTS700082: "), "{name}: {said}");
                continue;
            }
            answers += 1;
            let token = read(&written, now, &TimeZone::UTC).unwrap();
            assert_eq!(token.access.expose_secret(), "eyJ0.eyJ9.x", "{name}");
            assert_eq!(token.lifetime.as_secs(), 1000, "{name}");
            // The same in SYNCFILTERS_ACCESS_TOKEN.
            let text = String::from_utf8(written).unwrap();
            assert!(GivenToken::new(&text).is_ok(), "{name}");
        }
        assert!(answers >= 3 && complaints >= 1);
    }

    #[test]
    fn an_answer_with_a_byte_order_mark_is_read() {
        let now = Timestamp::from_second(1_795_446_000).unwrap();
        let answer = "{\"accessToken\":\"a\",\"expires_on\":1795449600}";
        let utf_16: Vec<u8> = format!("\u{feff}{answer}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for output in [format!("\u{feff}{answer}").into_bytes(), utf_16] {
            let token = read(&output, now, &TimeZone::UTC).unwrap();
            assert_eq!(token.lifetime.as_secs(), 3600);
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_tool_that_never_stops_writing_is_given_up_with_little_memory() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for (at, script) in ["yes '{'", "yes 'ERROR: a' >&2"].into_iter().enumerate() {
            let program = folder.path().join(format!("az{at}"));
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
            let resource = "https://contoso.crm4.dynamics.com";
            let tool = ToolGrant::new(Tool::Azure, program, resource, None).unwrap();
            let error = tool.ask().await.unwrap_err().to_string();
            assert!(error.contains("more than a megabyte"), "{error}");
        }
    }
}
