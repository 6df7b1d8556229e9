//! Where to sign in, and the Global Discovery Service.

use std::sync::Arc;

use serde_json::json;
use syncfilters::auth::{GivenToken, challenge};
use syncfilters::dataverse::{Channel, instances};
use syncfilters::pacing::{Pacer, Settings};
use syncfilters::sandbox::{Options, Sandbox, Switch, Switches};
use syncfilters::settings::{Address, Origin};
use tokio_util::sync::CancellationToken;

use crate::fixtures::http;
use crate::imitation::{ENTRA, Imitation};

#[tokio::test]
async fn the_environments_of_the_user_are_those_that_are_switched_on() {
    let imitation = Imitation::start(ENTRA).await;
    let instance = |name: &str, state: i32| json!({"FriendlyName": name, "Url": format!("https://{name}.crm4.dynamics.com"), "State": state});
    let answer =
        json!({"@odata.context": "…", "value": [instance("contoso", 0), instance("closed", 1)]});
    imitation.script("Instances", &[(200, answer)]);
    let tokens = Arc::new(GivenToken::new("token-1").unwrap());
    let environment = Address::given(&imitation.url, &Origin::Flag("--url")).unwrap();
    let pacer = Pacer::new(Settings::default());
    let channel = Channel::new(environment, tokens, pacer, CancellationToken::new()).unwrap();
    let found = instances(&channel).await.unwrap();
    let names: Vec<_> = found.iter().map(|i| i.friendly_name.as_str()).collect();
    assert_eq!(names, ["contoso"]);
    assert_eq!(found[0].url, "https://contoso.crm4.dynamics.com");
    let asked = &imitation.seen("Instances")[0];
    assert_eq!(asked.path, "/api/discovery/v2.0/Instances");
    assert_eq!(asked.headers["authorization"], "Bearer token-1");
}

/// The forms in which servers name the authority: Microsoft's pages show several.
#[tokio::test]
async fn every_form_of_the_challenge_names_the_same_tenant() {
    let asked = async |switches| {
        let sandbox = Sandbox::start(Options {
            switches,
            ..Options::default()
        })
        .await
        .unwrap();
        let found = challenge(&http(), &sandbox.url().parse().unwrap()).await;
        found.unwrap().authorization_uri.unwrap()
    };
    let documented = asked(Switches::none()).await;
    let tenant = |uri: &str| uri.split('/').nth(3).map(str::to_owned);
    for switch in [
        Switch::ChallengeBare,
        Switch::ChallengeResource,
        Switch::ChallengeQuoted,
    ] {
        let found = asked(Switches::none().with(switch)).await;
        assert_eq!(tenant(&found), tenant(&documented), "{switch}: {found}");
    }
}
