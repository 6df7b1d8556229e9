//! Paths and texts as people type them in a shell.

use std::borrow::Cow;
use std::path::Path;

/// A path as one argument that names a file: quoted for the shell where that is needed.
pub fn path_argument(path: &Path) -> String {
    let text = path.to_string_lossy();
    // Without a folder it would be taken for an id, and with a dash for an option.
    let text = if text.contains(['/', '\\']) {
        text
    } else {
        Cow::Owned(format!(".{}{text}", std::path::MAIN_SEPARATOR))
    };
    quoted(&text)
}

/// A text as one argument for the shell.
pub fn quoted(text: &str) -> String {
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | ':' | '@' | ',');
    if cfg!(windows) {
        let needs_none = text.chars().all(|c| plain(c) || c == '\\');
        // A file name on Windows holds no quotation mark.
        return if needs_none {
            text.to_owned()
        } else {
            format!("\"{text}\"")
        };
    }
    if text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reaches_the_command_as_it_was() {
        for path in [
            "/a b/c.run",
            "/it's.run",
            "/$(id)`id`;&|.run",
            "/*?[a].run",
            "/new\nline.run",
        ] {
            let shown = path_argument(Path::new(path));
            let script = format!("printf %s {shown}");
            let said = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), path);
        }
    }
}
