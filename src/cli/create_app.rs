//! An own application for signing in: the commands that make it, and making it with `az`.

use std::path::Path;

use crate::auth::{SignInError, run_azure_cli};
use crate::model::{Cloud, EnvironmentUrl};
use crate::report::ErrorReport;
use crate::settings::SignInKind;

use super::error::CliError;
use super::printer::Printer;

/// Placeholder for the id of the application until it is known.
const ID: &str = "APP_ID";
/// The display name of the application in Entra ID.
const NAME: &str = "syncfilters";
/// The application id of Dataverse and the id of its delegated permission `user_impersonation`; equal in all tenants.
const DATAVERSE: &str = "00000007-0000-0000-c000-000000000000";
const USER_IMPERSONATION: &str = "78ce3f0f-a1ce-49c2-8cde-64b5c0896db4";

/// The application to make.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewApp<'a> {
    /// The sign-in method.
    pub(super) kind: SignInKind,
    /// The tenant of the environment, where it is known.
    pub(super) tenant: Option<&'a str>,
    pub(super) cloud: Option<Cloud>,
    /// The address of the environment.
    pub(super) environment: &'a EnvironmentUrl,
}

impl NewApp<'_> {
    /// Whether a method needs an application in Entra ID: all others need none, or one in AD FS.
    pub(super) const fn is_one_of_entra(kind: SignInKind) -> bool {
        matches!(
            kind,
            SignInKind::Browser
                | SignInKind::DeviceCode
                | SignInKind::ClientSecret
                | SignInKind::Certificate
                | SignInKind::Federation
        )
    }

    /// Whether a user signs in through it.
    pub(super) const fn is_for_a_person(self) -> bool {
        matches!(self.kind, SignInKind::Browser | SignInKind::DeviceCode)
    }

    /// Whether a user signs in on another device, which Entra ID calls a fallback.
    fn fallback(self) -> &'static str {
        if self.kind == SignInKind::DeviceCode {
            "true"
        } else {
            "false"
        }
    }

    /// The arguments of `az`, command by command. The first command returns the id of the application.
    fn azure_cli(self, id: &str) -> Vec<Vec<String>> {
        let mut create = vec!["ad", "app", "create", "--display-name", NAME];
        create.extend(["--sign-in-audience", "AzureADMyOrg"]);
        if self.is_for_a_person() {
            create.extend(["--public-client-redirect-uris", "http://localhost"]);
            create.extend(["--is-fallback-public-client", self.fallback()]);
        }
        create.extend(["--query", "appId", "--output", "tsv"]);
        let permission = format!("{USER_IMPERSONATION}=Scope");
        let mut commands = vec![create, vec!["ad", "sp", "create", "--id", id]];
        if self.is_for_a_person() {
            let mut add = vec!["ad", "app", "permission", "add", "--id", id];
            add.extend(["--api", DATAVERSE, "--api-permissions", &permission]);
            let mut grant = vec!["ad", "app", "permission", "grant", "--id", id];
            grant.extend(["--api", DATAVERSE, "--scope", "user_impersonation"]);
            commands.extend([add, grant]);
        } else if self.kind == SignInKind::Federation {
            // Without a secret: the file names the provider whose tokens are trusted.
            let mut trust = vec!["ad", "app", "federated-credential", "create", "--id", id];
            trust.extend(["--parameters", "credential.json"]);
            commands.push(trust);
        } else {
            let mut reset = vec!["ad", "app", "credential", "reset", "--id", id, "--append"];
            if self.kind == SignInKind::Certificate {
                // Only the public part.
                reset.extend(["--cert", "@cert.pem"]);
            } else {
                reset.extend(["--years", "1", "--query", "password", "--output", "tsv"]);
            }
            commands.push(reset);
        }
        let own = |command: Vec<&str>| command.into_iter().map(str::to_owned).collect();
        commands.into_iter().map(own).collect()
    }

    /// The lines to type into a shell.
    fn azure_cli_lines(self) -> Vec<String> {
        let mut lines = Vec::new();
        let name = match self.cloud {
            Some(Cloud::GccHigh | Cloud::Dod) => Some("AzureUSGovernment"),
            Some(Cloud::China) => Some("AzureChinaCloud"),
            Some(Cloud::Commercial | Cloud::Gcc) | None => None,
        };
        lines.extend(name.map(|name| format!("az cloud set --name {name}")));
        let tenant = self
            .tenant
            .map_or_else(String::new, |tenant| format!(" --tenant {tenant}"));
        lines.push(format!("az login --allow-no-subscriptions{tenant}"));
        let commands = self.azure_cli(ID).into_iter();
        lines.extend(commands.map(|command| typed(&command)));
        lines
    }

    fn powershell_lines(self) -> Vec<String> {
        let environment = match self.cloud {
            Some(Cloud::GccHigh) => " -Environment USGov",
            Some(Cloud::Dod) => " -Environment USGovDoD",
            Some(Cloud::China) => " -Environment China",
            Some(Cloud::Commercial | Cloud::Gcc) | None => "",
        };
        let tenant = self
            .tenant
            .map_or_else(String::new, |tenant| format!(" -TenantId {tenant}"));
        let scopes = if self.is_for_a_person() {
            "Application.ReadWrite.All,DelegatedPermissionGrant.ReadWrite.All"
        } else {
            "Application.ReadWrite.All"
        };
        let mut lines = vec![format!(
            "Connect-MgGraph -Scopes {scopes}{tenant}{environment}"
        )];
        let create =
            format!("$app = New-MgApplication -DisplayName {NAME} -SignInAudience AzureADMyOrg");
        if self.is_for_a_person() {
            lines.push(format!(
                "{create} -IsFallbackPublicClient:${} -PublicClient @{{ RedirectUris = @('http://localhost') }} \
                 -RequiredResourceAccess @(@{{ ResourceAppId = '{DATAVERSE}'; ResourceAccess = @(@{{ Id = \
                 '{USER_IMPERSONATION}'; Type = 'Scope' }}) }})",
                self.fallback()
            ));
            lines.push("$sp = New-MgServicePrincipal -AppId $app.AppId".into());
            lines.push(format!(
                "$crm = Get-MgServicePrincipal -Filter \"appId eq '{DATAVERSE}'\""
            ));
            lines.push(
                "New-MgOauth2PermissionGrant -ClientId $sp.Id -ConsentType AllPrincipals -ResourceId $crm.Id -Scope \
                 user_impersonation"
                    .into(),
            );
        } else {
            lines.push(create);
            lines.push("New-MgServicePrincipal -AppId $app.AppId".into());
            if self.kind == SignInKind::Federation {
                lines.push(
                    "New-MgApplicationFederatedIdentityCredential -ApplicationId $app.Id -BodyParameter (Get-Content -Raw \
                     credential.json | ConvertFrom-Json -AsHashtable)"
                        .into(),
                );
            } else if self.kind == SignInKind::Certificate {
                lines.push("$cert = [Security.Cryptography.X509Certificates.X509Certificate2]::new((Resolve-Path cert.pem).Path)".into());
                lines.push(
                    "Update-MgApplication -ApplicationId $app.Id -KeyCredentials @(@{ Type = 'AsymmetricX509Cert'; Usage \
                     = 'Verify'; Key = $cert.RawData })"
                        .into(),
                );
            } else {
                lines.push("(Add-MgApplicationPassword -ApplicationId $app.Id).SecretText".into());
            }
        }
        lines.push("$app.AppId".into());
        lines
    }

    /// All commands that make the application, for people. Nothing is executed.
    pub(super) fn text(self) -> Vec<String> {
        let indented = |lines: Vec<String>| lines.into_iter().map(|line| format!("    {line}"));
        let mut text = vec![format!(
            "With the Azure CLI; the command that creates the application prints its id, which is {ID} in the others:"
        )];
        text.extend(indented(self.azure_cli_lines()));
        text.push("With Microsoft Graph PowerShell; the last line prints the id:".into());
        text.extend(indented(self.powershell_lines()));
        if self.kind == SignInKind::Federation {
            text.push(
                "credential.json says whose tokens are trusted: `name`, `issuer`, `subject`, and `audiences` with \
                 api://AzureADTokenExchange."
                    .into(),
            );
        }
        if !self.is_for_a_person() {
            text.push(
                "Then make it a user of the environment, with the role of config/sign-in.md, with the Power Platform CLI \
                 or in the admin centre:"
                    .into(),
            );
            text.extend(indented(vec![format!(
                "pac admin assign-user --environment {} --user {ID} --role ROLE --application-user",
                self.environment
            )]));
        }
        text
    }

    /// Makes the application with `az`, and returns its id.
    pub(super) async fn make(self, program: &Path) -> Result<String, CliError> {
        self.check_tenant(program).await?;
        let mut id = String::new();
        let steps = self.azure_cli(ID).len();
        for step in 0..steps {
            let arguments = self.azure_cli(&id).swap_remove(step);
            Printer::warn(&format!("Running: {}", typed(&arguments)));
            let said = run_azure_cli(program, &arguments).await;
            if step > 0 {
                said.map_err(|error| self.left_undone(&error, &id, step))?;
                continue;
            }
            let said = said?;
            id = uuid::Uuid::try_parse(said.trim())
                .map_err(|_| unusable("it did not answer with an id"))?
                .to_string();
        }
        Ok(id)
    }

    /// The error after the application was made: the user corrects the cause and continues with it, instead of making
    /// another.
    fn left_undone(self, error: &SignInError, id: &str, step: usize) -> CliError {
        let commands = self.azure_cli(id);
        let left: Vec<_> = commands[step..].iter().map(|it| typed(it)).collect();
        let why =
            format!("{error}; the application {id} is there, and these commands are left to run:");
        let report = ErrorReport::from(&unusable(why));
        CliError::Reported(report.with_list(&left).with_hint(format!(
            "run them, as an administrator where consent was refused; then repeat `syncfilters setup` with --client-id {id} \
             instead of --create-app"
        )))
    }

    /// Checks that `az` is signed in to the tenant of the environment, where the application has to be.
    async fn check_tenant(self, program: &Path) -> Result<(), CliError> {
        let Some(tenant) = self.tenant.filter(|it| uuid::Uuid::try_parse(it).is_ok()) else {
            return Ok(());
        };
        let arguments = ["account", "show", "--query", "tenantId", "--output", "tsv"];
        let arguments: Vec<_> = arguments.into_iter().map(str::to_owned).collect();
        let said = run_azure_cli(program, &arguments).await?;
        if said.trim().eq_ignore_ascii_case(tenant) {
            return Ok(());
        }
        let why = format!(
            "az is signed in to another tenant than that of the environment: run `az login --allow-no-subscriptions \
             --tenant {tenant}` first"
        );
        Err(unusable(why).into())
    }
}

/// A command of `az` in a form for all shells. `PowerShell` reads a bare `@` as a variable, and
/// `cmd.exe` supports double quotation marks only.
fn typed(arguments: &[String]) -> String {
    let quoted = arguments.iter().map(|argument| {
        if argument.starts_with('@') {
            format!("\"{argument}\"")
        } else {
            argument.clone()
        }
    });
    std::iter::once("az".to_owned())
        .chain(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}

fn unusable(why: impl Into<String>) -> SignInError {
    SignInError::Unusable {
        what: "making an application with az".into(),
        why: why.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(kind: SignInKind, cloud: Cloud, environment: &EnvironmentUrl) -> NewApp<'_> {
        NewApp {
            kind,
            tenant: Some("contoso.example"),
            cloud: Some(cloud),
            environment,
        }
    }

    #[test]
    fn the_commands_of_a_person_and_of_an_application_are_complete() {
        let url: EnvironmentUrl = "https://contoso.crm4.dynamics.com".parse().unwrap();
        let text = app(SignInKind::Browser, Cloud::Commercial, &url).text();
        for line in [
            "    az login --allow-no-subscriptions --tenant contoso.example",
            "    az ad app create --display-name syncfilters --sign-in-audience AzureADMyOrg --public-client-redirect-uris \
             http://localhost --is-fallback-public-client false --query appId --output tsv",
            "    az ad sp create --id APP_ID",
            "    az ad app permission add --id APP_ID --api 00000007-0000-0000-c000-000000000000 --api-permissions \
             78ce3f0f-a1ce-49c2-8cde-64b5c0896db4=Scope",
            "    az ad app permission grant --id APP_ID --api 00000007-0000-0000-c000-000000000000 --scope user_impersonation",
            "    Connect-MgGraph -Scopes Application.ReadWrite.All,DelegatedPermissionGrant.ReadWrite.All -TenantId \
             contoso.example",
            "    $sp = New-MgServicePrincipal -AppId $app.AppId",
            "    $app.AppId",
        ] {
            assert!(text.iter().any(|it| it == line), "{line}: {text:#?}");
        }
        assert!(!text.iter().any(|line| line.contains("pac admin")));
        let text = app(SignInKind::Certificate, Cloud::GccHigh, &url).text();
        for line in [
            "    az cloud set --name AzureUSGovernment",
            "    az ad app credential reset --id APP_ID --append --cert \"@cert.pem\"",
            "    Connect-MgGraph -Scopes Application.ReadWrite.All -TenantId contoso.example -Environment USGov",
            "    pac admin assign-user --environment https://contoso.crm4.dynamics.com --user APP_ID --role ROLE \
             --application-user",
        ] {
            assert!(text.iter().any(|it| it == line), "{line}: {text:#?}");
        }
    }

    #[test]
    fn an_application_without_a_secret_gets_no_command_that_makes_one() {
        let url: EnvironmentUrl = "https://contoso.crm4.dynamics.com".parse().unwrap();
        let text = app(SignInKind::Federation, Cloud::Commercial, &url).text();
        let text = text.join("\n");
        for part in [
            "credential reset",
            "password",
            "AddMgApplicationPassword",
            "SecretText",
        ] {
            assert!(!text.contains(part), "{part}: {text}");
        }
        assert!(
            text.contains("federated-credential create --id APP_ID"),
            "{text}"
        );
        for kind in [
            SignInKind::Auto,
            SignInKind::Given,
            SignInKind::ManagedIdentity,
            SignInKind::AzureCli,
            SignInKind::AzureDeveloperCli,
            SignInKind::Ntlm,
            SignInKind::Negotiate,
            SignInKind::Password,
        ] {
            assert!(!NewApp::is_one_of_entra(kind), "{kind}");
        }
    }

    #[test]
    fn every_argument_of_az_can_stand_in_a_batch_file() {
        let url: EnvironmentUrl = "https://contoso.crm4.dynamics.com".parse().unwrap();
        for kind in [SignInKind::Browser, SignInKind::DeviceCode] {
            for command in app(kind, Cloud::Commercial, &url).azure_cli(ID) {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-._:/=".contains(c);
                for argument in command {
                    assert!(argument.chars().all(plain), "{argument}");
                }
            }
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn az_is_run_step_by_step_and_its_failure_names_the_application_that_is_there() {
        use std::os::unix::fs::PermissionsExt;
        let url: EnvironmentUrl = "https://contoso.crm4.dynamics.com".parse().unwrap();
        let id = "0b2a1c1e-6d1f-4c51-8b86-0f1d2f3a4b5c";
        let folder = tempfile::tempdir().unwrap();
        let program = |name: &str, fails: &str| {
            let path = folder.path().join(name);
            let log = folder.path().join(format!("{name}.log"));
            let script = format!(
                "#!/bin/sh\necho \"$@\" >> '{}'\ncase \"$*\" in\n*'app create'*) echo {id};;\n*'{fails}'*) echo 'ERROR: \
                 Insufficient privileges' >&2; exit 1;;\nesac\n",
                log.display()
            );
            std::fs::write(&path, script).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
            (path, log)
        };
        let app = app(SignInKind::Browser, Cloud::Commercial, &url);
        let (az, log) = program("good", "nothing");
        assert_eq!(app.make(&az).await.unwrap(), id);
        let log = std::fs::read_to_string(log).unwrap();
        assert_eq!(log.lines().count(), app.azure_cli(ID).len());
        assert!(!log.contains(ID), "{log}");
        let (az, log) = program("bad", "permission grant");
        let report = app.make(&az).await.unwrap_err().report();
        let why = &report.message;
        assert!(why.contains(id) && why.contains("Insufficient"), "{why}");
        let left: Vec<_> = why.lines().skip(1).map(str::trim).collect();
        let grant = format!(
            "az ad app permission grant --id {id} --api {DATAVERSE} --scope user_impersonation"
        );
        assert_eq!(left, [grant.as_str()]);
        assert!(report.hint.unwrap().contains(&format!("--client-id {id}")));
        let (az, _) = program("early", "sp create");
        let why = app.make(&az).await.unwrap_err().report().message;
        assert_eq!(why.lines().skip(1).count(), 3, "{why}");
        assert!(log.exists());
    }
}
