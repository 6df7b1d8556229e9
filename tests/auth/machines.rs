//! Managed identities and tools.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use syncfilters::auth::{IdentityService, SignInError, SignInMethod, Tool};

use crate::fixtures::{bearer, source};
use crate::imitation::{ENTRA, Imitation};

fn identity(variables: &[(&str, String)]) -> SignInMethod {
    SignInMethod::ManagedIdentity {
        client_id: Some("identity-1".into()),
        service: IdentityService::from_variables(|name| {
            let found = variables.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| value.clone())
        }),
    }
}

#[tokio::test]
async fn a_virtual_machine_answers_with_texts_for_numbers_and_is_still_starting() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script(
        "token",
        &[
            (404, json!({})),
            (410, json!({})),
            (
                200,
                json!({"access_token": "token-1", "expires_in": "86399", "expires_on": "1795446000",
                    "not_before": "1795359600", "resource": "x", "token_type": "Bearer"}),
            ),
        ],
    );
    let moved = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", imitation.url.clone())];
    let source = source(&imitation, &identity(&moved)).await.unwrap();
    assert_eq!(bearer(&source).await.unwrap(), "token-1");
    let seen = imitation.seen("token");
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[2].path, "/metadata/identity/oauth2/token");
    assert_eq!(seen[2].headers["metadata"], "true");
    assert_eq!(seen[2].fields["resource"], imitation.url);
    assert_eq!(seen[2].fields["client_id"], "identity-1");
}

#[tokio::test]
async fn app_service_wants_its_header() {
    let imitation = Imitation::start(ENTRA).await;
    let answer =
        json!({"access_token": "token-1", "expires_on": "1795446000", "token_type": "Bearer"});
    imitation.script("msi", &[(200, answer)]);
    let variables = [
        ("IDENTITY_ENDPOINT", format!("{}/msi", imitation.url)),
        ("IDENTITY_HEADER", "canary".to_owned()),
    ];
    let source = source(&imitation, &identity(&variables)).await.unwrap();
    assert_eq!(bearer(&source).await.unwrap(), "token-1");
    let seen = &imitation.seen("msi")[0];
    assert_eq!(seen.headers["x-identity-header"], "canary");
    assert_eq!(seen.fields["api-version"], "2019-08-01");
    assert!(!format!("{source:?}").contains("canary"));
}

#[tokio::test]
async fn an_identity_that_is_not_assigned_is_no_reason_to_ask_again() {
    let imitation = Imitation::start(ENTRA).await;
    let refusal = json!({"error": "invalid_request", "error_description": "Identity not found"});
    imitation.script("token", &[(400, refusal)]);
    let moved = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", imitation.url.clone())];
    let source = source(&imitation, &identity(&moved)).await.unwrap();
    let error = bearer(&source).await.unwrap_err();
    assert!(error.to_string().contains("Identity not found"), "{error}");
    assert!(bearer(&source).await.is_err());
    assert_eq!(imitation.seen("token").len(), 1);
}

#[tokio::test]
async fn the_azure_cli_is_asked_for_the_environment_and_its_complaint_is_told() {
    let imitation = Imitation::start(ENTRA).await;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("az");
    let install = |script: &str| {
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    };
    let method = SignInMethod::Tool {
        tool: Tool::Azure,
        program: program.clone(),
    };
    install(
        r#"echo "{\"accessToken\":\"$6\",\"expires_on\":4102444800,\"expiresOn\":\"nonsense\"}""#,
    );
    let first = source(&imitation, &method).await.unwrap();
    assert_eq!(
        bearer(&first).await.unwrap(),
        format!("{}/.default", imitation.url)
    );

    install("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1");
    let second = source(&imitation, &method).await.unwrap();
    let error = bearer(&second).await.unwrap_err();
    assert!(
        matches!(error, SignInError::ToolRefused { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("az login"), "{error}");

    install(concat!(
        "echo 'WARNING: You have 2 updates available.' >&2\n",
        "printf 'WARNING: {}\\n{\"accessToken\": \"a.b.c\", \"expires_on\": \"4102444800.5\"}\\n\\033[0m'"
    ));
    let coloured = source(&imitation, &method).await.unwrap();
    assert_eq!(bearer(&coloured).await.unwrap(), "a.b.c");

    install(concat!(
        "echo 'WARNING: in preview' >&2\n",
        "echo 'ERROR: AADSTS700082: The refresh token has expired.' >&2\n",
        "echo 'Please run:' >&2; exit 1"
    ));
    let expired = source(&imitation, &method).await.unwrap();
    let error = bearer(&expired).await.unwrap_err();
    assert!(error.to_string().contains("AADSTS700082"), "{error}");
    assert!(error.hint().unwrap().contains("`az login`"), "{error:?}");

    install("echo canary");
    let third = source(&imitation, &method).await.unwrap();
    let error = bearer(&third).await.unwrap_err();
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}
