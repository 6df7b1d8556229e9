//! Text in the templates.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::report::PageText;

/// How the templates print a value: cleaned and escaped, as everywhere else on a page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CleanText;

impl Escaper for CleanText {
    fn write_escaped_str<W: Write>(&self, mut out: W, text: &str) -> fmt::Result {
        write!(out, "{}", PageText(text))
    }
}

/// What somebody typed in a form, whole and with its lines, for the form that is shown again: a list that was cut, or whose
/// lines were joined, would mean other users.
pub(super) fn typed(text: &str) -> String {
    let mut page = String::with_capacity(text.len());
    // It writes to memory.
    let _ = Html.write_escaped_str(&mut page, text);
    page
}

/// A text as a part of a page, line by line, with what stands between two backquotes as code: so texts for the terminal mark commands.
pub(super) fn with_code(text: &(impl AsRef<str> + ?Sized)) -> String {
    let lines = text.as_ref().lines().map(line_with_code);
    lines.collect::<Vec<_>>().join("\n")
}

fn line_with_code(line: &str) -> String {
    let pieces: Vec<_> = line.split('`').collect();
    let last = pieces.len() - 1;
    let shown = pieces.into_iter().enumerate().map(|(at, piece)| {
        let shown = PageText(piece);
        match at % 2 {
            0 => shown.to_string(),
            // It was opened and not closed.
            _ if at == last => format!("`{shown}"),
            _ => format!("<code>{shown}</code>"),
        }
    });
    shown.collect()
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
    fn commands_are_code_and_nothing_else_is_markup() {
        for (text, page) in [
            ("type `yes` now", "type <code>yes</code> now"),
            ("`a` and `b`", "<code>a</code> and <code>b</code>"),
            ("one ` only", "one ` only"),
            ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
            ("", ""),
        ] {
            assert_eq!(super::with_code(text), page);
        }
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
