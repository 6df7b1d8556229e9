//! Lists of users: one name a line, or CSV with a header.

use super::{Named, Place};

/// The column titles under which a name is looked for, first come first served.
const COLUMNS: [&str; 10] = [
    "user",
    "upn",
    "userprincipalname",
    "user name",
    "domainname",
    "login",
    "email",
    "internalemailaddress",
    "systemuserid",
    "id",
];

/// Why a list of users cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UserListError {
    /// Nobody in it.
    #[error("{0}: there is nobody in this list")]
    Empty(String),
    /// Not CSV.
    #[error("{path}: {source}")]
    Csv {
        /// The list.
        path: String,
        /// What is wrong with it, and where.
        source: csv::Error,
    },
}

/// Reads a list of users: a name a line, or CSV whose header has a column such as `user`, `upn`,
/// `email` or `systemuserid`. Empty lines, and lines that begin with `#`, are passed over.
///
/// `path` is what errors call the list.
pub fn parse_user_list(path: &str, text: &str) -> Result<Vec<Named>, UserListError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let delimiter = match text.lines().next() {
        Some(header) if header.contains(';') => b';',
        Some(header) if header.contains('\t') => b'\t',
        _ => b',',
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut named = Vec::new();
    let mut column = None;
    for record in reader.records() {
        let record = record.map_err(|source| UserListError::Csv {
            path: path.to_owned(),
            source,
        })?;
        if column.is_none() {
            column = name_column(&record);
            if column.is_some() {
                continue;
            }
        }
        let name = record.get(column.unwrap_or(0)).unwrap_or_default();
        if !name.is_empty() {
            named.push(Named {
                name: name.to_owned(),
                place: Place::Line(path.to_owned(), line_of(&record, text)),
            });
        }
        column = column.or(Some(0));
    }
    if named.is_empty() {
        return Err(UserListError::Empty(path.to_owned()));
    }
    Ok(named)
}

/// The line on which a record stands. The reader counts from the end of the record before it, so
/// the lines passed over in between are added here.
fn line_of(record: &csv::StringRecord, text: &str) -> usize {
    let Some(position) = record.position() else {
        return 0;
    };
    let offset = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.get(offset..).unwrap_or_default();
    let passed_over = |line: &&str| line.trim_end_matches('\r').is_empty() || line.starts_with('#');
    let skipped = rest.split('\n').take_while(passed_over).count();
    usize::try_from(position.line()).unwrap_or(0) + skipped
}

/// The column that holds names, if the record is a header.
fn name_column(record: &csv::StringRecord) -> Option<usize> {
    let titles: Vec<_> = record.iter().map(str::to_lowercase).collect();
    let mut known = COLUMNS.iter();
    known.find_map(|column| titles.iter().position(|title| title == column))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(String, usize)> {
        let list = parse_user_list("list.csv", text).unwrap();
        list.into_iter()
            .map(|named| match named.place {
                Place::Line(_, line) => (named.name, line),
                Place::Flag(flag) => panic!("{flag}"),
            })
            .collect()
    }

    #[test]
    fn a_plain_list_is_a_name_a_line() {
        let list = names("anna@contoso.example\n\n# the pilot\nCONTOSO\\bert\r\n");
        assert_eq!(
            list,
            [
                ("anna@contoso.example".into(), 1),
                ("CONTOSO\\bert".into(), 4)
            ]
        );
    }

    #[test]
    fn csv_with_a_header_finds_its_column() {
        let list = names("\u{feff}Name;UPN;Team\n\"Berg; Anna\";anna@contoso.example;A\n");
        assert_eq!(list, [("anna@contoso.example".into(), 2)]);
        let list = names("fullname,internalemailaddress\nAnna,anna@contoso.example\n");
        assert_eq!(list, [("anna@contoso.example".into(), 2)]);
    }

    #[test]
    fn an_empty_list_is_an_error_because_it_would_mean_everybody_or_nobody() {
        for text in ["", "\n\n", "# nobody yet\n", "user\n"] {
            assert!(parse_user_list("list.csv", text).is_err(), "{text:?}");
        }
    }
}
