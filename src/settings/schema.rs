//! Checks the documentation and the schema of the configuration file against the code that reads it.

use super::{ConfigFile, SignInKind};

const SCHEMA: &str = include_str!("../../config/schema.json");
const README: &str = include_str!("../../config/README.md");

/// A number of users, or a text such as `10%`.
pub(super) fn limit(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": ["integer", "string", "null"], "minimum": 0 })
}

fn generated() -> serde_json::Value {
    let mut schema = serde_json::to_value(schemars::schema_for!(ConfigFile)).unwrap();
    schema["title"] = "syncfilters configuration".into();
    schema
}

#[test]
#[expect(clippy::disallowed_methods, reason = "nobody but us writes the schema")]
fn the_schema_is_the_one_of_the_code() {
    let schema = generated();
    if std::env::var_os("SYNCFILTERS_WRITE_SCHEMA").is_some() {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/config/schema.json"),
            text,
        )
        .unwrap();
        return;
    }
    let written: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(
        written, schema,
        "run this test once with SYNCFILTERS_WRITE_SCHEMA=1 to write config/schema.json anew"
    );
}

#[test]
fn every_key_and_every_way_of_signing_in_is_explained() {
    let schema = generated();
    for table in [
        "/properties",
        "/$defs/Profile/properties",
        "/$defs/PacingKeys/properties",
    ] {
        let keys = schema.pointer(table).and_then(|keys| keys.as_object());
        for key in keys.unwrap_or_else(|| panic!("{table}")).keys() {
            let named = [format!("| `{key}` |"), format!("| `{key}.NAME` |")];
            assert!(named.iter().any(|row| README.contains(row)), "{key}");
        }
    }
    for kind in SignInKind::ALL {
        assert!(README.contains(&format!("| `{kind}` |")), "{kind}");
    }
}

#[test]
fn every_example_is_a_configuration() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let file = ConfigFile::parse(&text);
            let file = file.unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            let name = file.default_environment.unwrap();
            assert!(file.environments.contains_key(&name), "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 7, "{count}");
}
