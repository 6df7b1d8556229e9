//! The names in a request: its address, its options, its body.

use serde_json::Value;
use syncfilters::sandbox::RecordedRequest;

use super::condition::unknown_in_condition;
use super::documents::Documents;
use super::fetch::unknown_in_fetch;

const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";
/// Options that name a stored query and not a column (Microsoft: "Retrieve and execute predefined queries").
const STORED_QUERIES: [&str; 2] = ["savedQuery", "userQuery"];

/// Every name in a request that is not declared.
pub(super) fn unknown_names(documents: &Documents, request: &RecordedRequest) -> Vec<String> {
    let path = decoded(&request.path);
    let mut target = Target {
        documents,
        unknown: Vec::new(),
        of: None,
        operation: None,
    };
    for (at, segment) in path.trim_matches('/').split('/').enumerate() {
        target.segment(at == 0, segment);
    }
    for option in request.query.split('&').filter(|it| !it.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        target.option(&decoded(name), &decoded(value));
    }
    if !request.body.is_empty() {
        target.body(&request.body);
    }
    target.unknown
}

struct Target<'a> {
    documents: &'a Documents,
    unknown: Vec<String>,
    /// The type of the rows that the address leads to.
    of: Option<String>,
    operation: Option<String>,
}

impl Target<'_> {
    fn unknown(&mut self, what: impl Into<String>) {
        self.unknown.push(what.into());
    }

    fn segment(&mut self, first: bool, segment: &str) {
        let (name, inside) = match segment.split_once('(') {
            Some((name, inside)) => (name, inside.strip_suffix(')')),
            None => (segment, None),
        };
        if first {
            if let Some(of) = self.documents.set(name) {
                self.of = Some(of.to_owned());
                return self.key(inside.unwrap_or_default());
            }
            return self.operation(name, None, inside.unwrap_or_default());
        }
        let of = self.of.take().unwrap_or_default();
        if let Some(name) = name.strip_prefix(NAMESPACE) {
            return self.operation(name, Some(&of), inside.unwrap_or_default());
        }
        match self.documents.navigation(&of, name) {
            Some(to) => self.of = Some(to.to_owned()),
            None => self.unknown(format!("{name} below {of}")),
        }
    }

    /// `guid`, or `NAME='value'`.
    fn key(&mut self, key: &str) {
        let of = self.of.clone().unwrap_or_default();
        if let Some((name, _)) = key.split_once('=')
            && !self.documents.has_property(&of, name)
        {
            self.unknown(format!("key {name} of {of}"));
        }
    }

    fn operation(&mut self, name: &str, of: Option<&str>, parameters: &str) {
        let Some(declared) = self.documents.operation(name) else {
            return self.unknown(format!("operation {name}"));
        };
        if declared.bound_to.as_deref() != of {
            self.unknown(format!("{name} of {}", of.unwrap_or("nothing")));
        }
        for parameter in parameters.split(',').filter(|it| !it.is_empty()) {
            let parameter = parameter.split('=').next().unwrap_or_default();
            if !declared.parameters.contains(parameter) {
                self.unknown(format!("parameter {parameter} of {name}"));
            }
        }
        self.operation = Some(name.to_owned());
    }

    fn option(&mut self, name: &str, value: &str) {
        let of = self.of.clone().unwrap_or_default();
        let documents = self.documents;
        match name {
            "$select" => {
                for column in value.split(',') {
                    if !documents.has_property(&of, column) {
                        self.unknown(format!("{column} of {of}"));
                    }
                }
            }
            "$filter" => self
                .unknown
                .extend(unknown_in_condition(documents, &of, value)),
            "fetchXml" => self.unknown.extend(unknown_in_fetch(documents, &of, value)),
            "$top" | "$skiptoken" => {}
            name if STORED_QUERIES.contains(&name) => {}
            // The value of a parameter: here a member of an enumeration.
            name if name.starts_with('@') => {
                let member = value
                    .strip_prefix(NAMESPACE)
                    .and_then(|it| it.split_once('\''));
                if !member
                    .is_some_and(|(of, it)| documents.is_member(of, it.trim_end_matches('\'')))
                {
                    self.unknown(format!("{value} for {name}"));
                }
            }
            other => self.unknown(format!("option {other}")),
        }
    }

    fn body(&mut self, body: &str) {
        let Ok(Value::Object(body)) = serde_json::from_str(body) else {
            return self.unknown("a body that is no JSON object");
        };
        for name in body.keys() {
            let known = match (&self.operation, &self.of) {
                (Some(operation), _) => {
                    let declared = self.documents.operation(operation);
                    declared.is_some_and(|it| it.parameters.contains(name))
                }
                (None, Some(of)) => match name.strip_suffix("@odata.bind") {
                    Some(name) => self.documents.navigation(of, name).is_some(),
                    None => self.documents.has_property(of, name),
                },
                (None, None) => false,
            };
            if !known {
                let of = self.of.clone().unwrap_or_default();
                self.unknown(format!("{name} in a body for {of}"));
            }
        }
    }
}

fn decoded(text: &str) -> String {
    // A form would take `+` for a space; an address does not.
    let kept = text.replace('+', "%2B");
    let pair = format!("x={}", kept.replace('&', "%26"));
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
