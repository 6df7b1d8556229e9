//! Text in HTML.

use std::fmt::{self, Display, Write};

use crate::report::text::clean;

/// Text that is shown as it is, in an element or in a quoted attribute. Control characters are replaced.
#[derive(Clone, Copy, Debug)]
pub struct Text<T>(pub T);

impl<T: AsRef<str>> Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in clean(self.0.as_ref()).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_server_can_neither_open_a_tag_nor_leave_an_attribute() {
        assert_eq!(
            Text("<b title=\"x\" id='y'>&\u{1b}\u{202e}").to_string(),
            "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;··"
        );
    }
}
