//! Findings that could make a change ineffective or surprising, as far as the run file contains them.

use crate::journal::impact::{self, NamedFilter};
use crate::model::Operation;
use crate::model::text::NAMES_IN_MESSAGE;
use crate::plan::SkippedName;

use super::{ReadError, UserGroup, View};

/// A number of users with an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountWithExample {
    /// The number of users.
    pub users: u64,
    /// The name of one of them.
    pub example: String,
}

/// A finding to consider before agreeing to a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A filter of the organisation continues to synchronise a type that is to be deactivated.
    SystemFilter(NamedFilter),
    /// Users who keep another active filter of a type of which one is deactivated.
    StaysOn(CountWithExample),
    /// Users with several filters of one template.
    Duplicates(CountWithExample),
    /// New users receive an active filter of this type.
    Template(NamedFilter),
    /// Users whose default filters do not exist yet: they will receive active ones.
    NotPopulated(CountWithExample),
    /// Users to be changed whose mailbox synchronises nothing by the filters: the change has no effect in Exchange.
    NoMailbox(CountWithExample),
    /// Users to be changed whose mailbox is synchronised by Dynamics 365 for Outlook, which reads the same filters.
    OutlookClient(CountWithExample),
    /// Sync filters do not support optimistic concurrency: writes require only that the row exists.
    AnyVersion,
    /// The organisation's filters could not be read.
    OrganisationUnknown(String),
    /// The synchronisation methods of the mailboxes could not be read.
    MailboxesUnknown(String),
    /// Users whom the other engine serves and who continue to be synchronised here.
    BothEngines(CountWithExample),
    /// Users whom no engine will serve.
    NoEngine(CountWithExample),
    /// Names of the other engine's list that match no user of this run.
    NotHere {
        /// The number of names.
        names: u64,
        /// Examples.
        examples: Vec<String>,
    },
    /// Names of the selection that match no user and are skipped.
    SkippedNames {
        /// Whether they were to be excluded: the users who were meant are not excluded.
        excludes: bool,
        /// The number of names.
        names: u64,
        /// Examples.
        examples: Vec<String>,
    },
}

impl Finding {
    /// The stable word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::SystemFilter(_) => "system-filter",
            Self::StaysOn(_) => UserGroup::StaysOn.as_str(),
            Self::Duplicates(_) => UserGroup::Duplicates.as_str(),
            Self::Template(_) => "template",
            Self::NotPopulated(_) => UserGroup::NotPopulated.as_str(),
            Self::NoMailbox(_) => UserGroup::NoMailbox.as_str(),
            Self::OutlookClient(_) => UserGroup::OutlookClient.as_str(),
            Self::AnyVersion => "any-version",
            Self::OrganisationUnknown(_) => "organisation-unknown",
            Self::MailboxesUnknown(_) => "mailboxes-unknown",
            Self::BothEngines(_) => UserGroup::BothEngines.as_str(),
            Self::NoEngine(_) => UserGroup::NoEngine.as_str(),
            Self::NotHere { .. } => "not-here",
            Self::SkippedNames { excludes: true, .. } => "unmatched-exclusions",
            Self::SkippedNames { .. } => "skipped-names",
        }
    }
}

impl View<'_> {
    /// All findings, the most important first. What was not asked for is not looked for.
    pub fn findings(&self) -> Result<Vec<Finding>, ReadError> {
        let deactivates = self.header()?.operation == Operation::Deactivate;
        let asked = impact::asked(self.0)?;
        let found = impact::surroundings(self.0)?;
        let mut all = Vec::new();
        all.extend(found.any_version.then_some(Finding::AnyVersion));
        all.extend(
            [true, false]
                .into_iter()
                .filter_map(|e| skipped(&found.skipped, e)),
        );
        if deactivates {
            let system = found.system_filters.into_iter().flatten();
            all.extend(system.map(Finding::SystemFilter));
            all.extend(found.organisation_unknown.map(Finding::OrganisationUnknown));
            all.extend(self.several(UserGroup::StaysOn)?.map(Finding::StaysOn));
        }
        all.extend(
            self.several(UserGroup::Duplicates)?
                .map(Finding::Duplicates),
        );
        if deactivates {
            let templates = found.templates.into_iter().flatten();
            all.extend(templates.map(Finding::Template));
            all.extend(
                self.several(UserGroup::NotPopulated)?
                    .map(Finding::NotPopulated),
            );
            all.extend(self.several(UserGroup::NoMailbox)?.map(Finding::NoMailbox));
            all.extend(
                self.several(UserGroup::OutlookClient)?
                    .map(Finding::OutlookClient),
            );
            all.extend(found.mailboxes.map(Finding::MailboxesUnknown));
        }
        if asked.other_engine.is_some() {
            all.extend(
                self.several(UserGroup::BothEngines)?
                    .map(Finding::BothEngines),
            );
            all.extend(self.several(UserGroup::NoEngine)?.map(Finding::NoEngine));
            all.extend((found.not_here > 0).then_some(Finding::NotHere {
                names: found.not_here,
                examples: found.not_here_examples,
            }));
        }
        Ok(all)
    }

    fn several(&self, group: UserGroup) -> Result<Option<CountWithExample>, ReadError> {
        let (users, example) = self.group(group)?;
        Ok((users > 0).then(|| CountWithExample {
            users,
            example: example.unwrap_or_default(),
        }))
    }
}

fn skipped(skipped: &[SkippedName], excludes: bool) -> Option<Finding> {
    let skipped = skipped.iter().filter(|name| name.excludes == excludes);
    let mut examples: Vec<_> = skipped.map(|name| name.named.name.clone()).collect();
    let names = u64::try_from(examples.len()).unwrap_or(u64::MAX);
    examples.truncate(NAMES_IN_MESSAGE);
    (names > 0).then_some(Finding::SkippedNames {
        excludes,
        names,
        examples,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;
    use crate::plan::LossBound;
    use rusqlite::Connection;

    /// Users 1 to 4; what each has is said by the tests.
    fn run(rows: &str) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        let users = "INSERT INTO run (one, id, operation, environment, organization, server_major, server_minor,
                caller, selection, criteria, tool, started, phase)
             VALUES (1, '3f2a9c0d1b7e', 'deactivate', 'https://contoso.example',
                '{\"id\":\"00000000-0000-0000-0000-000000000007\",\"name\":\"C\",\"distinct_deletes\":null}', 9, 2,
                '{\"id\":\"00000000-0000-0000-0000-000000000009\",\"user\":\"a\"}', '{\"only\":null,\"except\":[]}',
                '{\"types\":\"all\",\"kinds\":[\"outlook\"],\"name\":null}', '', 0, 'planned');
             INSERT INTO user (seq, id, label, populated, survey) VALUES
                (1, x'00000000000000000000000000000001', 'ada', 1, 1), (2, x'00000000000000000000000000000002', 'ben', 1, 1), (3, x'00000000000000000000000000000003', 'cy', 0, 1), (4, x'00000000000000000000000000000004', 'di', 0, 2);";
        connection.execute_batch(users).unwrap();
        connection.execute_batch(rows).unwrap();
        connection
    }

    fn filter(user: i64, id: i64, state: i64, template: &str) -> String {
        format!(
            "INSERT INTO filter (user, id, name, type, kind, state, status, matching, template)
             VALUES ({user}, x'{id:02}', 'n', 'appointment', 256, {state}, 1, 1, {template});"
        )
    }

    fn change(user: i64, id: i64) -> String {
        format!(
            "INSERT INTO change (user, filter, from_state, to_state, stage) VALUES ({user}, x'{id:02}', 0, 1, 0);"
        )
    }

    fn several(users: u64, example: &str) -> CountWithExample {
        let example = example.to_owned();
        CountWithExample { users, example }
    }

    #[test]
    fn a_second_active_filter_of_the_type_and_duplicates_of_a_template_are_found() {
        let rows = [
            filter(1, 11, 0, "x'99'"),
            filter(1, 12, 0, "x'99'"),
            filter(2, 21, 0, "NULL"),
            filter(2, 22, 1, "NULL"),
            change(1, 11),
            change(2, 21),
        ];
        let connection = run(&rows.concat());
        assert_eq!(
            View::new(&connection).findings().unwrap(),
            [
                Finding::StaysOn(several(1, "ada")),
                Finding::Duplicates(several(1, "ada")),
                Finding::NotPopulated(several(1, "cy")),
            ]
        );
    }

    #[test]
    fn who_ends_with_both_engines_or_with_none_is_found_where_the_other_list_is_known() {
        let rows = [
            filter(1, 11, 0, "NULL"),
            filter(2, 21, 0, "NULL"),
            change(2, 21),
            "INSERT INTO mark VALUES (x'00000000000000000000000000000001', 0);".into(),
            "INSERT INTO foresight VALUES (1, '{\"impact\":false,\"other_engine\":[]}', '{\"not_here\":2}');".into(),
            "UPDATE user SET populated = 1;".into(),
        ];
        let connection = run(&rows.concat());
        assert_eq!(
            View::new(&connection).findings().unwrap(),
            [
                Finding::BothEngines(several(1, "ada")),
                // Ben's last filter goes; Cy never had one; of Di nothing is known.
                Finding::NoEngine(several(2, "ben")),
                Finding::NotHere {
                    names: 2,
                    examples: vec![]
                },
            ]
        );
    }

    #[test]
    fn what_a_mailbox_that_does_not_synchronise_could_lose_is_not_in_the_total() {
        let rows = [
            filter(1, 11, 0, "NULL"),
            filter(2, 21, 0, "NULL"),
            filter(3, 31, 0, "NULL"),
            change(1, 11),
            change(2, 21),
            change(3, 31),
            "INSERT INTO foresight VALUES (1, '{\"impact\":true,\"other_engine\":null}', NULL);
             INSERT INTO mark VALUES (x'00000000000000000000000000000002', 1), (x'00000000000000000000000000000003', 2);
             INSERT INTO impact VALUES (1, 'appointment', 5, 2, NULL, NULL), (2, 'appointment', 7, 1, NULL, NULL),
                (2, 'task', NULL, 0, 'timeout', 'slow'), (3, 'appointment', 2, 0, NULL, NULL);"
                .into(),
        ];
        let connection = run(&rows.concat());
        let view = View::new(&connection);
        let impact = view.impact(9).unwrap().unwrap();
        // Of Ada, and of Cy, whose mailbox the add-in synchronises.
        assert_eq!((impact.items, impact.users), (7, 2));
        assert_eq!(impact.bound, LossBound::AtLeast);
        assert_eq!((impact.without_mailbox, impact.unknown_users), (7, 0));
        assert_eq!((impact.most.len(), impact.types.len()), (2, 1));
        let mailboxes = impact.mailboxes.unwrap();
        let counted = (mailboxes.server, mailboxes.outlook, mailboxes.nothing);
        assert_eq!(counted, (1, 1, 1));
        let findings = view.findings().unwrap();
        assert!(findings.contains(&Finding::NoMailbox(several(1, "ben"))));
        assert!(findings.contains(&Finding::OutlookClient(several(1, "cy"))));
    }

    #[test]
    fn what_is_lost_is_summed_and_what_is_not_known_is_never_taken_for_nothing() {
        let rows = [
            filter(1, 11, 0, "NULL"),
            filter(2, 21, 0, "NULL"),
            filter(3, 31, 0, "NULL"),
            change(1, 11),
            change(2, 21),
            change(3, 31),
            "INSERT INTO foresight VALUES (1, '{\"impact\":true,\"other_engine\":null}', NULL);
             INSERT INTO impact VALUES (1, 'appointment', 5, 1, NULL, NULL), (1, 'task', NULL, 0, 'timeout', 'slow'),
                (2, 'appointment', 7, 0, NULL, NULL);"
                .into(),
        ];
        let connection = run(&rows.concat());
        let view = View::new(&connection);
        let impact = view.impact(1).unwrap().unwrap();
        assert_eq!(
            (impact.items, impact.bound, impact.users),
            (12, LossBound::AtMost, 2)
        );
        assert_eq!((impact.unknown_users, impact.not_counted), (1, 1));
        assert_eq!(impact.most.len(), 1);
        assert_eq!(
            (impact.most[0].user.as_str(), impact.most[0].items),
            ("ben", 7)
        );
        assert_eq!(impact.unknown[0].kind, "timeout");
        let types: Vec<_> = impact
            .types
            .iter()
            .map(|t| (t.items, t.unknown_users))
            .collect();
        assert_eq!(types, [(12, 0), (0, 1)]);
    }
}
