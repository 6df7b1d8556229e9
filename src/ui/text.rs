//! Text in the templates.

use std::fmt::{self, Write};

use askama::filters::Escaper;

use crate::report::PageText;

/// How the templates print a value: cleaned and escaped, as everywhere else on a page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown;

impl Escaper for Shown {
    fn write_escaped_str<W: Write>(&self, mut out: W, text: &str) -> fmt::Result {
        write!(out, "{}", PageText(text))
    }
}

#[cfg(test)]
mod tests {
    use askama::Template;

    #[derive(Template)]
    #[template(
        source = "<p title=\"{{ name }}\">{{ name }}</p>",
        ext = "html",
        config = "src/ui/askama.toml"
    )]
    struct Named<'a> {
        name: &'a str,
    }

    #[test]
    fn a_name_can_neither_open_a_tag_nor_leave_an_attribute_nor_turn_the_text_around() {
        let name = "<b title=\"x\" id='y'>&\u{1b}\u{202e}";
        let shown = "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;··";
        assert_eq!(
            Named { name }.render().unwrap(),
            format!("<p title=\"{shown}\">{shown}</p>")
        );
    }
}
