//! From a cell or line to the one name that it contains.

use uuid::Uuid;

use super::error::ListFault;
use super::visible::{shown, visible};

/// The longest name, in characters: a UPN has at most 1024 (Microsoft: "User naming attributes").
const LONGEST_NAME: usize = 1024;
/// Prefixes that mail programs and Exchange put before addresses.
const PREFIXES: [&str; 2] = ["mailto:", "smtp:"];
/// Characters that do not occur in a UPN, address, account (Microsoft: "SAM-Account-Name") or id.
const NEVER: [char; 10] = ['"', '[', ']', ':', ';', '|', ',', '<', '>', '/'];

/// The one name in a cell; `None` where the cell is empty.
///
/// # Errors
/// [`ListFault::NotOneName`] and [`ListFault::UnclosedQuote`]: several names, or a text that cannot be one.
pub(super) fn name_in(cell: &str) -> Result<Option<String>, ListFault> {
    let text = visible(cell);
    if text.is_empty() {
        return Ok(None);
    }
    let not_one = || ListFault::NotOneName(shown(cell));
    let text = match text.strip_prefix('"') {
        Some(quoted) => {
            let (inside, behind) = unquoted(quoted).ok_or(ListFault::UnclosedQuote)?;
            match behind.trim() {
                "" => visible(&inside),
                // A quoted display name, followed by the address.
                address if address.starts_with('<') => address.to_owned(),
                _ => return Err(not_one()),
            }
        }
        None => text,
    };
    let name = match text.strip_suffix('>') {
        Some(open) => {
            let (person, address) = open.rsplit_once('<').ok_or_else(not_one)?;
            let address = without_prefix(address);
            let alias = person.trim().trim_matches(['\'', '"']);
            let same = alias.eq_ignore_ascii_case(address);
            if !same
                && (person.contains([';', '<', '>', '\t']) || person.split(',').any(is_definite))
            {
                return Err(not_one());
            }
            address
        }
        None => without_prefix(&text),
    };
    match name {
        "" => Ok(None),
        name if is_one_name(name) => Ok(Some(name.to_owned())),
        _ => Err(not_one()),
    }
}

/// The text in quotation marks after the first one, and the text after the last one.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut inside = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        inside.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                inside.push('"');
                rest = more;
            }
            None => return Some((inside, after)),
        }
    }
}

fn without_prefix(address: &str) -> &str {
    let address = address.trim();
    let prefix = PREFIXES.iter().find(|prefix| {
        let start = address.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    prefix.map_or(address, |prefix| address[prefix.len()..].trim())
}

/// Whether a text can be one name only: a UPN or address, `DOMAIN\name`, an id, or a single word.
fn is_one_name(name: &str) -> bool {
    if is_id(name) {
        return true;
    }
    if name.chars().count() > LONGEST_NAME || name.contains(NEVER) {
        return false;
    }
    let spaced = name.contains(char::is_whitespace);
    let domain = |c: char| c.is_alphanumeric() || ['.', '-', '_'].contains(&c);
    match (name.split_once('@'), name.split_once('\\')) {
        (Some((local, host)), None) => {
            !spaced && !local.is_empty() && !host.is_empty() && host.chars().all(domain)
        }
        (None, Some((domain, account))) => {
            let domain_spaced = domain.contains(char::is_whitespace);
            !domain.is_empty()
                && !domain_spaced
                && !account.is_empty()
                && !account.contains('\\')
                && account.trim() == account
        }
        (None, None) => !spaced,
        (Some(_), Some(_)) => false,
    }
}

fn is_id(name: &str) -> bool {
    let bare = name.strip_prefix('{').and_then(|n| n.strip_suffix('}'));
    Uuid::try_parse(bare.unwrap_or(name)).is_ok()
}

/// Whether a cell can contain nothing but one or several names.
pub(super) fn is_definite(cell: &str) -> bool {
    let text = visible(cell);
    let mut words = text.split(|c: char| c.is_whitespace() || c == '"');
    text.contains(['@', '\\']) || words.any(is_id)
}
