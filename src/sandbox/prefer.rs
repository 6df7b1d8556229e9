//! The `Prefer` header.

use http::HeaderMap;

use super::odata::Annotations;

/// The preferences of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prefer {
    /// `return=representation`.
    pub(super) representation: bool,
    /// `odata.continue-on-error`.
    pub(super) continue_on_error: bool,
    /// `odata.maxpagesize`.
    pub(super) max_page_size: Option<usize>,
    /// `odata.include-annotations`.
    pub(super) annotations: Annotations,
    /// The text of the last annotation preference, for `Preference-Applied`.
    pub(super) annotations_text: Option<String>,
}

impl Prefer {
    /// Reads every `Prefer` header; unknown preferences are ignored, as RFC 7240 says.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut prefer = Self::default();
        for value in headers.get_all("Prefer") {
            for item in split(value.to_str().unwrap_or_default()) {
                prefer.take(item.trim());
            }
        }
        prefer
    }

    fn take(&mut self, item: &str) {
        let (name, value) = item.split_once('=').unwrap_or((item, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "return" => self.representation = value.eq_ignore_ascii_case("representation"),
            "odata.continue-on-error" | "continue-on-error" => {
                self.continue_on_error = !value.eq_ignore_ascii_case("false");
            }
            "odata.maxpagesize" | "maxpagesize" => {
                self.max_page_size = value.parse().ok().filter(|&size| size > 0);
            }
            "odata.include-annotations" | "include-annotations" => {
                self.annotations = Annotations::parse(value);
                self.annotations_text = Some(value.to_owned());
            }
            _ => {}
        }
    }

    /// `Preference-Applied` of an answer to a query.
    pub(super) fn applied_to_query(&self) -> Option<String> {
        let size = self
            .max_page_size
            .map(|size| format!("odata.maxpagesize={size}"));
        let annotations = self.annotations_text.as_ref();
        let annotations = annotations.map(|it| format!("odata.include-annotations=\"{it}\""));
        let all: Vec<_> = size.into_iter().chain(annotations).collect();
        (!all.is_empty()).then(|| all.join(","))
    }
}

/// Items separated by commas outside of quotation marks.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |letter| {
        quoted ^= letter == '"';
        matches!(letter, ',' | ';') && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Prefer {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("Prefer", value.parse().unwrap());
        }
        Prefer::of(&headers)
    }

    #[test]
    fn several_preferences_come_in_one_header_or_in_several() {
        let one = read(&["odata.maxpagesize=3, odata.include-annotations=\"OData.*,Microsoft.*\""]);
        let two = read(&[
            "odata.maxpagesize=3",
            "odata.include-annotations=\"OData.*,Microsoft.*\"",
        ]);
        assert_eq!(one, two);
        assert_eq!(one.max_page_size, Some(3));
        assert!(
            one.annotations
                .wants("Microsoft.Dynamics.CRM.lookuplogicalname")
        );
        assert_eq!(
            one.applied_to_query().unwrap(),
            "odata.maxpagesize=3,odata.include-annotations=\"OData.*,Microsoft.*\""
        );
    }

    #[test]
    fn writes_and_batches_have_theirs() {
        assert!(read(&["return=representation"]).representation);
        assert!(!read(&["return=minimal"]).representation);
        assert!(read(&["odata.continue-on-error"]).continue_on_error);
        assert!(!read(&["odata.continue-on-error=false"]).continue_on_error);
        assert_eq!(read(&["nonsense; foo=bar"]), Prefer::default());
    }
}
