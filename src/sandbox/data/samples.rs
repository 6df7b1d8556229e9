//! Names for people, places and views.

/// First names of many languages.
pub(super) const FIRST: &[&str] = &[
    "Anna",
    "José",
    "Zoë",
    "Łukasz",
    "Björn",
    "Søren",
    "Chloé",
    "Müge",
    "Siobhán",
    "Đorđe",
    "Ingrid",
    "François",
    "Renée",
    "Jürgen",
    "Åsa",
    "Agnieszka",
    "Nuno",
    "Beyoncé",
    "Τάσος",
    "Наталья",
    "小明",
    "美咲",
    "지훈",
    "Mehmet",
    "Priya",
    "Aoife",
    "Wolfgang",
    "Mary-Jane",
    "Jean-Luc",
    "Óscar",
    "Ewa",
    "Liam",
    "Olivia",
    "Noah",
    "Emma",
    "Lucas",
    "Mia",
    "Tomáš",
    "Katarína",
    "Bálint",
    "Željka",
    "Abdullah",
    "Fatima",
    "Kwame",
    "Thandiwe",
    "Anh",
    "Linh",
    "Carlos",
    "Inês",
    "Pål",
];

/// Last names: with apostrophes, hyphens, several words, other scripts, and one that is far too long.
pub(super) const LAST: &[&str] = &[
    "Müller",
    "O'Brien",
    "D'Angelo",
    "Straße",
    "Wałęsa",
    "Nuñez",
    "García Márquez",
    "Sørensen",
    "Šimůnek",
    "van der Berg",
    "Åkerström",
    "Đukić",
    "Nguyễn",
    "Θεοδωράκης",
    "Иванова",
    "李",
    "田中",
    "김",
    "Smith",
    "Jones",
    "Fitz-Gerald",
    "McDonald",
    "Öztürk",
    "Yıldız",
    "Chaudhary",
    "Patel",
    "Okonkwo",
    "da Silva",
    "Ferreira",
    "Kowalczyk",
    "Szabó",
    "Horváth",
    "Novák",
    "Johansson",
    "Nielsen",
    "Schmidt",
    "Weiß",
    "Lefèvre",
    "Dubois",
    "Rossi",
    "Bianchi",
    "Peña",
    "Ibrahim",
    "Haddad",
    "Cohen",
    "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmondeley von und zu Hohenlohe-Langenburg",
];

/// Business units under the root, as (name, units under it).
pub(super) const UNITS: &[(&str, &[&str])] = &[
    ("Europe", &["Nordics", "DACH", "Iberia", "Île-de-France"]),
    ("Americas", &["North America", "Brasil"]),
    ("Asia Pacific", &["Japan", "Australia & New Zealand"]),
    ("Shared Services", &["IT", "People & Culture"]),
];

/// The condition on rows that a user owns.
const OWN: &str =
    r#"<filter type="and"><condition attribute="ownerid" operator="eq-userid" /></filter>"#;
/// The condition on active rows that a user owns.
const OWN_ACTIVE: &str = r#"<filter type="and"><condition attribute="ownerid" operator="eq-userid" /><condition attribute="statecode" operator="eq" value="0" /></filter>"#;
/// The condition on activities in which the user takes part, which includes the owner.
const TAKES_PART: &str = r#"<filter type="and"><condition attribute="statecode" operator="in"><value>0</value><value>3</value></condition></filter><link-entity name="activityparty" from="activityid" to="activityid" link-type="inner" alias="party"><filter type="and"><condition attribute="partyid" operator="eq-userid" /></filter></link-entity>"#;
/// The same condition in another form, as users write it.
pub(super) const OWNS_OR_TAKES_PART: &str = r#"<filter type="or"><condition attribute="ownerid" operator="eq-userid" /><condition entityname="party" attribute="partyid" operator="not-null" /></filter><link-entity name="activityparty" from="activityid" to="activityid" link-type="outer" alias="party"><filter type="and"><condition attribute="partyid" operator="eq-userid" /></filter></link-entity>"#;
/// A system filter of the organisation, on some of its contacts.
pub(super) const BOARD_MEMBERS: &str = r#"<filter type="and"><condition attribute="description" operator="like" value="%board%" /></filter>"#;
/// The query of a second filter that a user has made.
pub(super) const OWN_VISITS: &str = r#"<filter type="and"><condition attribute="ownerid" operator="eq-userid" /><condition attribute="subject" operator="like" value="%visit%" /></filter>"#;

/// Queries that cannot be executed: empty, incomplete, and with a column that no longer exists.
pub(super) const BROKEN: &[&str] = &[
    "",
    r#"<fetch version="1.0" mapping="logical"><entity name="appointment"><attribute name="activityid" /><filter type="and"><condition attribute="ownerid" operator="eq-userid" "#,
    r#"<fetch version="1.0" mapping="logical"><entity name="appointment"><attribute name="activityid" /><filter type="and"><condition attribute="ownerid" operator="eq-userid" /><condition attribute="new_visittype" operator="eq" value="1" /></filter></entity></fetch>"#,
];

/// Tables with default filters: logical name, name of the user's filter, and the condition of its query.
///
/// E-mail is not one of them (Microsoft: "Choose the records to synchronize").
pub(super) const FILTERS: &[(&str, &str, &str)] = &[
    ("appointment", "My Appointments", TAKES_PART),
    (
        "recurringappointmentmaster",
        "My Recurring Appointments",
        OWN,
    ),
    ("serviceappointment", "My Service Activities", OWN),
    ("contact", "My Outlook Contacts", OWN_ACTIVE),
    ("task", "My Tasks", OWN_ACTIVE),
    ("phonecall", "My Phone Calls", OWN_ACTIVE),
    ("fax", "My Faxes", OWN),
    ("letter", "My Letters", OWN),
];

/// Names that people give to filters of their own.
pub(super) const OWN_FILTERS: &[&str] = &[
    "Customer visits only",
    "Meine wichtigen Termine",
    "Rendez-vous clients (privé)",
    "Bob's meetings & calls",
    "顧客との会議",
    "  all my appointments  ",
    "<b>Team</b> calendar",
];

/// Names of personal views.
pub(super) const VIEWS: &[(&str, &str)] = &[
    ("account", "My key accounts"),
    ("contact", "Birthdays this month"),
    ("opportunity", "Pipeline > 50k"),
    ("appointment", "Visits next week"),
];

/// Teams: name and the role it gives, if any.
pub(super) const TEAMS: &[(&str, Option<&str>)] = &[
    ("Field Sales", Some("Salesperson")),
    ("Service Desk", Some("Customer Service Representative")),
    ("All Staff", Some("Basic User")),
    ("Football Club", None),
    ("Équipe Québec", None),
];

/// A login from a name: ASCII letters, digits and dots.
pub(super) fn login(first: &str, last: &str, number: usize) -> String {
    let letters = |text: &str| -> String {
        let plain = text.chars().filter_map(plain_letter);
        plain.take(20).collect()
    };
    let (first, last) = (letters(first), letters(last));
    if first.is_empty() || last.is_empty() {
        return format!("user{number}@contoso.example");
    }
    format!("{first}.{last}{number}@contoso.example")
}

fn plain_letter(letter: char) -> Option<char> {
    let plain = match letter {
        'é' | 'ë' | 'è' | 'ê' | 'É' => 'e',
        'á' | 'å' | 'Å' | 'ã' | 'â' | 'à' => 'a',
        'ö' | 'Ö' | 'ø' | 'Ø' | 'ó' | 'Ó' => 'o',
        'ü' | 'ů' | 'ú' => 'u',
        'ß' | 'š' | 'Š' => 's',
        'ł' | 'Ł' => 'l',
        'ñ' => 'n',
        'ç' | 'ć' => 'c',
        'í' | 'ı' => 'i',
        'đ' | 'Đ' => 'd',
        'ž' | 'Ž' => 'z',
        other => other.to_ascii_lowercase(),
    };
    plain.is_ascii_alphanumeric().then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_plain_whatever_the_name() {
        assert_eq!(
            login("Łukasz", "O'Brien", 7),
            "lukasz.obrien7@contoso.example"
        );
        assert_eq!(login("小明", "李", 8), "user8@contoso.example");
    }

    #[test]
    fn there_is_a_name_longer_than_any_table_column() {
        assert!(LAST.iter().any(|name| name.chars().count() > 90));
    }
}
