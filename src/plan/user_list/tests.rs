use super::*;

mod properties;

fn read(bytes: &[u8], column: Option<&str>) -> Result<Vec<(String, usize)>, String> {
    let list = parse_user_list("list.csv", bytes, column).map_err(|error| error.to_string())?;
    let named = list.into_iter().map(|named| match named.place {
        NameSource::Line(_, line) => (named.name, line),
        NameSource::Flag(flag) => panic!("{flag}"),
    });
    Ok(named.collect())
}

fn names(text: impl AsRef<[u8]>) -> Vec<(String, usize)> {
    read(text.as_ref(), None).unwrap()
}

fn only_names(text: impl AsRef<[u8]>) -> Vec<String> {
    names(text).into_iter().map(|(name, _)| name).collect()
}

/// The list is refused, and the message says the line and the reason.
fn refused(text: impl AsRef<[u8]>, says: &[&str]) {
    let text = text.as_ref();
    let shown = String::from_utf8_lossy(text);
    match read(text, None) {
        Ok(list) => panic!("{shown:?} was read as {list:?}"),
        Err(error) => {
            for says in says {
                assert!(error.contains(says), "{shown:?}: {error}");
            }
        }
    }
}

fn utf_16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    let units: Vec<u16> = mark.encode_utf16().chain(text.encode_utf16()).collect();
    let bytes = |unit: u16| {
        if little {
            unit.to_le_bytes()
        } else {
            unit.to_be_bytes()
        }
    };
    units.into_iter().flat_map(bytes).collect()
}

const ANNA: &str = "anna.berg@contoso.example";
const BERT: &str = "bert.o-neil@contoso.example";
const CHLOE: &str = "chloe.martin@contoso.example";

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
    let ids = "00000000-0000-0000-0000-000000000001\n{00000000-0000-0000-0000-00000000000A}\n";
    assert_eq!(names(ids).len(), 2);
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
    for text in [
        "",
        "\n\n",
        "# nobody yet\n",
        "user\n",
        "\u{feff}",
        ";;\n",
        "UPN;Mail\n;\n",
        "sep=;\n",
    ] {
        refused(text, &["there is nobody in this list"]);
    }
}

#[test]
fn several_names_on_one_line_are_refused_with_the_line() {
    for line in [
        format!("{ANNA}, {BERT}, {CHLOE}"),
        format!("{ANNA}; {BERT}; {CHLOE}"),
        format!("{ANNA} {BERT}"),
        format!("{ANNA}\t{BERT}"),
        format!("{ANNA}|{BERT}"),
        format!("{ANNA}/{BERT}"),
        format!("{ANNA}\u{2028}{BERT}"),
        format!("{ANNA}\u{a0}{BERT}"),
        format!("\"{ANNA}\",\"{BERT}\""),
        format!("{ANNA} anna"),
        format!("Anna <{ANNA}>; Bert <{BERT}>"),
        format!("Anna <{ANNA}>, Bert <{BERT}>"),
        format!("{ANNA}, Bert <{BERT}>"),
        "CONTOSO\\anna CONTOSO\\bert".to_owned(),
        "00000000-0000-0000-0000-000000000001 00000000-0000-0000-0000-000000000002".to_owned(),
        format!("Anna Berg,{ANNA}"),
    ] {
        refused(&line, &["list.csv:1: ", "is not exactly one name"]);
        refused(
            format!("{CHLOE}\n{line}\n"),
            &["list.csv:2: ", "is not exactly one name"],
        );
        refused(format!("UPN\n{line}\n"), &["list.csv:2: "]);
    }
}

#[test]
fn a_row_that_names_nobody_is_refused_with_its_line_and_column() {
    refused(
        "Name,UPN\nAnna Berg,anna@x.example\nBert\nChloe,chloe@x.example\n",
        &["list.csv:3: this row names nobody: its cell `UPN` is empty or missing"],
    );
    refused(
        "UPN,Mail\nanna@x.example,a@x.example\n,bert@x.example\n",
        &["list.csv:3: ", "names nobody"],
    );
    refused(
        "UPN,Mail\n\u{200b}\u{a0},bert@x.example\n",
        &["list.csv:2: "],
    );
    refused("UPN,Mail\nmailto:,bert@x.example\n", &["list.csv:2: "]);
    refused("UPN\nTotal: 3 users\n", &["list.csv:2: "]);
}

#[test]
fn a_row_that_is_longer_than_the_header_is_refused() {
    refused(
        "Name,UPN\nBerg, Anna,anna@x.example\n",
        &["list.csv:2: ", "more cells than the header"],
    );
    refused("UPN\nanna@x.example,bert@x.example\n", &["list.csv:2: "]);
    assert_eq!(
        only_names("UPN,Name\nanna@x.example,Anna,,\n"),
        ["anna@x.example"]
    );
}

#[test]
fn quotation_marks_that_do_not_fit_together_are_refused_with_the_line() {
    refused(
        "Name,UPN\nAnna,anna@x.example\n\"Bert the boss,bert@x.example\nChloe,chloe@x.example\n",
        &["list.csv:3: ", "never closed"],
    );
    refused(
        "Name,UPN\n\"Bert,bert@x.example\n\"Chloe\",chloe@x.example\n",
        &["list.csv:2: ", "quotation mark is missing"],
    );
    refused(
        "Name,UPN\n\"Bert,bert@x.example\nChloe\",chloe@x.example\n",
        &["list.csv:2: ", "`bert@x.example`"],
    );
    refused(
        "UPN,Name,Note\nanna@x.example,\"Anna,x\nbert@x.example,Bert,x\nchloe@x.example,Chloe\",x\n",
        &["list.csv:2: ", "`bert@x.example`"],
    );
    refused(
        "\"anna@x.example\nbert@x.example\n",
        &["list.csv:1: ", "never closed"],
    );
    // Names that only a person knows for names, in a cell that has the form of rows.
    refused(
        "UPN,Name\nanna@x.example,\"Liam\nINTEGRATION,Bert\"\newa@x.example,Ewa\n",
        &["list.csv:2: ", "`INTEGRATION`"],
    );
}

#[test]
fn a_cell_may_go_over_several_lines_and_lines_are_still_counted() {
    let list = names(
        "Name,Address,UPN\r\nAnna,\"Street 1,\r\n12345 City, State\",anna@x.example\r\n\r\nBert,,bert@x.example\r\n",
    );
    assert_eq!(
        list,
        [("anna@x.example".into(), 2), ("bert@x.example".into(), 5)]
    );
}

#[test]
fn below_a_header_nothing_is_a_comment_and_above_it_is() {
    let list =
        names("# made today\n\nName,UPN\n# Sync account,anna@x.example\nChloe,chloe@x.example\n");
    assert_eq!(
        list,
        [("anna@x.example".into(), 4), ("chloe@x.example".into(), 5)]
    );
    refused("UPN\nanna@x.example\n# bert is away\n", &["list.csv:3: "]);
    assert_eq!(only_names("#,UPN\n1,anna@x.example\n"), ["anna@x.example"]);
}

#[test]
fn rows_whose_cells_are_all_empty_are_blank_lines() {
    let list = names(
        "Name;UPN;;\r\nAnna;anna@x.example;;\r\n;;;\r\n \u{a0};\"\";;\r\nBert;bert@x.example;;\r\n",
    );
    assert_eq!(
        list,
        [("anna@x.example".into(), 2), ("bert@x.example".into(), 5)]
    );
    assert_eq!(
        names(";;\nanna@x.example;;\n,,\nbert@x.example,\n").len(),
        2
    );
}

#[test]
fn lines_that_name_the_separator_or_the_type_are_no_names() {
    let rows = "Name;UPN\r\nAnna;anna@x.example\r\n";
    for above in [
        "sep=;\r\n",
        "\u{feff}SEP=;\r\n",
        "\"sep=;\"\r\n",
        "#TYPE System.Object\r\n",
    ] {
        assert_eq!(
            names(format!("{above}{rows}")),
            [("anna@x.example".into(), 3)]
        );
    }
    let tabs = "sep=\t\nName\tUPN\nAnna\tanna@x.example\n";
    assert_eq!(names(tabs).len(), 1);
    let quoted = "#TYPE Selected\r\n\"DisplayName\";\"UserPrincipalName\"\r\n\"Anna\";\"anna@x.example\"\r\n";
    assert_eq!(names(quoted), [("anna@x.example".into(), 3)]);
    refused("sep=x\nName;UPN\n", &["list.csv:1: "]);
}

#[test]
fn the_headers_of_the_exports_that_people_have_are_known_in_any_case_and_spacing() {
    for title in [
        "User principal name",
        "USERPRINCIPALNAME",
        "userPrincipalName",
        "upn",
        "Primary Email",
        "PrimarySmtpAddress",
        "Primary SMTP address",
        "Mail",
        "E-mail",
        "Email Address",
        "EmailAddress",
        "Username",
        "User Name",
        "Windows Live ID",
        "WindowsLiveID",
        "WindowsEmailAddress",
        "InternalEMailAddress",
        "domainname",
        "user",
        "user_id",
        "systemuserid",
        "(Do Not Modify) User",
        "Object Id",
        " \u{feff}UPN\u{200e} ",
    ] {
        let text = format!("Display name,{title},Block credential\nAnna,anna@x.example,False\n");
        assert_eq!(only_names(text), ["anna@x.example"], "{title}");
    }
}

#[test]
fn of_several_known_columns_the_surest_is_taken() {
    let own = "user,user_id,name\nAnna Berg,00000000-0000-0000-0000-000000000001,My Appointments\n";
    assert_eq!(only_names(own), ["00000000-0000-0000-0000-000000000001"]);
    let both = "Mail,User principal name\na@mail.example,anna@x.example\n";
    assert_eq!(only_names(both), ["anna@x.example"]);
    refused(
        "UPN,upn\na@x.example,b@x.example\n",
        &["list.csv:1: ", "several columns"],
    );
}

#[test]
fn without_a_known_column_the_message_names_those_found_and_those_known() {
    for text in [
        "Vorname;Konto\nAnna;anna@x.example\n",
        "Vorname,Konto\nAnna,anna@x.example\n",
    ] {
        refused(
            text,
            &[
                "list.csv:1: ",
                "Found: Vorname, Konto.",
                "Known: User principal name, user_id",
            ],
        );
    }
    refused(
        "Users to migrate\nanna@x.example\n",
        &["list.csv:1: ", "Found: Users to migrate"],
    );
}

#[test]
fn a_column_that_is_asked_for_is_taken_or_its_absence_is_told() {
    let text = b"UPN;Konto (neu)\nanna@old.example;anna@x.example\n";
    for title in ["Konto (neu)", "KONTO (NEU)", "konto neu"] {
        assert_eq!(
            read(text, Some(title)).unwrap(),
            [("anna@x.example".into(), 2)]
        );
    }
    let error = read(text, Some("Kontto")).unwrap_err();
    assert!(error.contains("no column `Kontto`"), "{error}");
    assert!(error.contains("Found: UPN, Konto (neu)"), "{error}");
    assert!(read(b"anna@x.example\n", Some("Konto")).is_err());
}

#[test]
fn addresses_are_read_as_mail_programs_and_exchange_write_them() {
    let text = format!(
        "mailto:{ANNA}\nSMTP:{BERT}\nChloe Martin <{CHLOE}>\n\u{200b}dana@x.example\n\
         \"Weiss, Emil\" <smtp:emil@x.example>\nFinn, Gero <finn@x.example>;\n<gina@x.example>\n\
         hans@x.example <hans@x.example>\n\u{202a}ida@x.example\u{202c}\n\u{a0}jan@x\u{feff}.example\u{a0}\n\"kai@x.example\"\n"
    );
    let expected = [
        ANNA,
        BERT,
        CHLOE,
        "dana@x.example",
        "emil@x.example",
        "finn@x.example",
        "gina@x.example",
        "hans@x.example",
        "ida@x.example",
        "jan@x.example",
        "kai@x.example",
    ];
    assert_eq!(only_names(text), expected);
}

#[test]
fn every_encoding_in_which_lists_are_saved_is_read() {
    let text = "Name;UPN\r\nJürgen Weiß;jürgen@x.example\r\n";
    let expected = [("jürgen@x.example".to_owned(), 2)];
    assert_eq!(names(text), expected);
    assert_eq!(names(format!("\u{feff}{text}")), expected);
    assert_eq!(names(encoding_rs::WINDOWS_1252.encode(text).0), expected);
    for little in [true, false] {
        for mark in [true, false] {
            assert_eq!(
                names(utf_16(text, little, mark)),
                expected,
                "{little} {mark}"
            );
        }
    }
    assert_eq!(names("anna@x.example\rbert@x.example\r").len(), 2);
}

#[test]
fn what_is_no_text_is_named_and_refused() {
    refused(
        b"PK\x03\x04\x14\0\x06\0",
        &[
            "list.csv: ",
            "Excel workbook (.xlsx)",
            "cannot be read as one",
        ],
    );
    refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", &["(.xls)"]);
    refused(b"%PDF-1.7\n", &["PDF"]);
    refused(
        b"anna@x.example\nbe\0rt@x.example\n",
        &["list.csv:2: ", "U+0000"],
    );
    refused(b"\x7fELF\x02\x01\x01", &["U+007F"]);
    refused(b"\xff\xfe\x61\0\x62", &["UTF-16LE"]);
    refused(b"\xff\xfe\0\xd8\x61\0", &["UTF-16LE"]);
    refused(b"\xef\xbb\xbfanna\xff@x.example", &["UTF-8"]);
    refused(vec![b'a'; LONGEST_LIST + 1], &["longer than 64 MiB"]);
}

#[test]
fn a_message_shows_no_more_than_the_beginning_of_a_long_line() {
    let error = read(&vec![b'a'; 100_000], None).unwrap_err();
    assert!(error.chars().count() < 400, "{error}");
    let titles = "column of many;".repeat(10_000);
    let error = read(titles.as_bytes(), None).unwrap_err();
    assert!(error.chars().count() < 1000, "{error}");
    assert!(error.contains("and 9981 more"), "{error}");
}

#[test]
fn a_name_that_is_repeated_counts_once() {
    let list = names(
        "user_id\n00000000-0000-0000-0000-00000000000a\n{00000000-0000-0000-0000-00000000000A}\n",
    );
    assert_eq!(list, [("00000000-0000-0000-0000-00000000000a".into(), 2)]);
}

#[test]
fn two_columns_that_mean_the_same_must_name_the_same_people() {
    let same = "UPN,User principal name,Mail\nanna@x.example,ANNA@x.example,a@x.example\n";
    assert_eq!(names(same), [("ANNA@x.example".into(), 2)]);
    let shown = "User,Username\nAnna Berg,anna@x.example\n,bert@x.example\n";
    assert_eq!(names(shown).len(), 2);
    let other =
        "UPN,User principal name\nanna@x.example,anna@x.example\nbert@x.example,carl@x.example\n";
    refused(other, &["list.csv:3: ", "`UPN`", "`User principal name`"]);
    let chosen = read(other.as_bytes(), Some("UPN")).unwrap();
    assert_eq!(chosen[1].0, "bert@x.example");
}
