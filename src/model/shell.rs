//! Paths and text as people type them in a shell.

use std::borrow::Cow;
use std::path::Path;

/// The shell that printed commands are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// `sh` and shells compatible with it.
    Posix,
    /// `PowerShell`, the default on Windows. Text that needs no quoting works in `cmd.exe`, too.
    PowerShell,
}

impl Shell {
    /// The shell of this system.
    pub const HERE: Self = if cfg!(windows) {
        Self::PowerShell
    } else {
        Self::Posix
    };

    /// A text as one argument, quoted where needed.
    pub fn quoted(self, text: &str) -> String {
        match self {
            Self::Posix if text.chars().all(|c| is_plain(c) || c == ',') => text.to_owned(),
            Self::Posix => format!("'{}'", text.replace('\'', r"'\''")),
            // A comma makes a list, and an `@` at the start a variable.
            Self::PowerShell
                if text.chars().all(|c| is_plain(c) || c == '\\') && !text.starts_with('@') =>
            {
                text.to_owned()
            }
            // The only quotation marks that `cmd.exe` knows.
            Self::PowerShell if !text.contains(EXPANDED) => format!("\"{text}\""),
            Self::PowerShell => {
                let doubled = |c| [Some(c), SINGLE_QUOTES.contains(&c).then_some(c)];
                let text: String = text.chars().flat_map(doubled).flatten().collect();
                format!("'{text}'")
            }
        }
    }

    /// The command that sets a variable for the commands after it.
    pub fn set_variable(self, name: &str, value: &str) -> String {
        let value = self.quoted(value);
        match self {
            Self::Posix => format!("export {name}={value}"),
            // Without quotation marks the shell would take it for the name of a command.
            Self::PowerShell if value.starts_with(['"', '\'']) => format!("$env:{name} = {value}"),
            Self::PowerShell => format!("$env:{name} = \"{value}\""),
        }
    }

    /// Where to get `openssl` on a system that does not include it.
    pub const fn where_openssl_is(self) -> &'static str {
        match self {
            Self::Posix => "",
            Self::PowerShell => " (Git for Windows brings `openssl` in its folder `usr\\bin`)",
        }
    }

    /// The command that removes everybody's access to a file except the owner's. `file` is the path, already quoted.
    pub fn close_to_others(self, file: &str) -> String {
        match self {
            Self::Posix => format!("chmod 600 {file}"),
            // The folder's permissions are no longer inherited; this account's are added.
            Self::PowerShell => {
                format!("icacls {file} /inheritance:r /grant:r \"${{env:USERNAME}}:F\"")
            }
        }
    }
}

/// What `PowerShell` interprets between double quotation marks, the typographic ones included.
const EXPANDED: [char; 6] = ['$', '`', '"', '\u{201c}', '\u{201d}', '\u{201e}'];
/// What ends text between single quotation marks.
const SINGLE_QUOTES: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | ':' | '@')
}

/// A path as one argument that names a file, quoted where needed.
pub fn path_argument(path: &Path) -> String {
    let text = path.to_string_lossy();
    // Without a folder it would be taken for a run id, and with a dash for an option.
    let text = if text.contains(['/', '\\']) {
        text
    } else {
        Cow::Owned(format!(".{}{text}", std::path::MAIN_SEPARATOR))
    };
    quoted(&text)
}

/// A text as one argument for the shell of this system, quoted where needed.
pub fn quoted(text: &str) -> String {
    Shell::HERE.quoted(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_powershell_would_read_in_a_text_stays_as_it_is() {
        for (text, argument) in [
            (r"C:\runs\a.run", r"C:\runs\a.run"),
            (r"C:\Program Files\a.run", "\"C:\\Program Files\\a.run\""),
            ("anna,zoe", "\"anna,zoe\""),
            ("@anna", "\"@anna\""),
            ("anna@contoso.example", "anna@contoso.example"),
            (r"\\files\anna$\it's.run", r"'\\files\anna$\it''s.run'"),
            ("a\u{201c}b\u{2019}c", "'a\u{201c}b\u{2019}\u{2019}c'"),
        ] {
            assert_eq!(Shell::PowerShell.quoted(text), argument);
        }
    }

    #[test]
    fn a_variable_is_set_as_each_shell_sets_it() {
        let set = |shell: Shell, value| shell.set_variable("SYNCFILTERS_URL", value);
        let url = "http://127.0.0.1:8080/";
        assert_eq!(
            set(Shell::Posix, url),
            format!("export SYNCFILTERS_URL={url}")
        );
        assert_eq!(
            set(Shell::PowerShell, url),
            format!("$env:SYNCFILTERS_URL = \"{url}\"")
        );
        assert_eq!(
            set(Shell::PowerShell, "a b"),
            "$env:SYNCFILTERS_URL = \"a b\""
        );
        assert_eq!(
            set(Shell::PowerShell, "a$b"),
            "$env:SYNCFILTERS_URL = 'a$b'"
        );
    }

    #[cfg(unix)]
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
