//! Combines all data to an organisation.

use jiff::Timestamp;

use super::builtin::accounts;
use super::calendar::Calendars;
use super::filters::Maker;
use super::mailboxes::give_mailboxes;
use super::people::people;
use super::rng::Rng;
use super::structure::structure;
use super::user_views::{calendar_filter, personal_views, system_views};
use super::views::views;
use crate::options::Options;
use crate::rights::Privilege;
use crate::rows::{OrganizationRecord, UserRecord};
use crate::store::{Rows, Store};
use crate::switches::{Switch, Switches};

/// Makes the whole organisation.
///
/// The same seed and number of users give the same rows; switches change only settings and the
/// rights of the administrator.
pub(crate) fn organization(options: &Options) -> Store {
    let mut rng = Rng::new(options.seed);
    let structure = structure(&mut rng);
    let mut everybody = accounts(&mut rng, &structure);
    let ordinary = people(&mut rng, options.users, options.plain, &structure);
    everybody.extend(ordinary);
    let client = options.switches.on(Switch::OutlookClient);
    give_mailboxes(&mut everybody, options.seed, options.plain, client);
    if options.version.is_8() {
        everybody.iter_mut().for_each(on_premises);
    }
    let administrator = 0;
    let mut views = views(&mut rng, administrator);
    let organization = OrganizationRecord {
        id: rng.id(),
        tenant: rng.id(),
        environment: rng.id(),
        name: "Contoso (sandbox)",
        unique_name: "contososandbox",
        settings: settings(distinct_deletes(options.switches)),
        version: 400,
    };
    let mut maker = Maker::new(&mut rng, &views, everybody.len(), options.plain);
    for (index, person) in everybody.iter().enumerate() {
        maker.serve(index, person, everybody.len());
    }
    let (mut filters, next_version) = maker.finish();
    // Its own random numbers, so that views change no other data.
    let mut extra = Rng::new(options.seed ^ 0x7669_6577);
    views.extend(system_views(&mut extra, administrator));
    filters.extend(personal_views(&mut extra, administrator));
    if options.switches.on(Switch::CalendarSystemFilter) {
        views.push(calendar_filter(&mut extra, administrator));
    }
    let mut store = Store::new(Rows {
        organization,
        units: structure.units,
        roles: structure.roles,
        teams: structure.teams,
        people: everybody,
        views,
        filters,
        administrator,
        calendars: Calendars::new(options.seed, Timestamp::now()),
        next_version,
    });
    restrict_administrator(&mut store, options.switches);
    store
}

/// Changes a user to one on-premises: no object id, a Windows login, no licence.
fn on_premises(person: &mut UserRecord) {
    person.object_id = None;
    person.licensed = false;
    if let Some(name) = person.login.strip_suffix("@contoso.example") {
        person.login = format!("CONTOSO\\{name}");
    }
}

/// `orgdborgsettings`: XML with an element for each setting that was ever changed.
pub(in super::super) fn settings(distinct_deletes: Option<bool>) -> String {
    const NAME: &str = "DistinctPhysicalAndLogicalDeletesForExchangeSync";
    let distinct = distinct_deletes.map(|on| format!("<{NAME}>{on}</{NAME}>"));
    let distinct = distinct.unwrap_or_default();
    format!(
        "<OrgSettings><IsMRUEnabled>true</IsMRUEnabled>{distinct}<SkipSuffixOnKBArticles>false</SkipSuffixOnKBArticles></OrgSettings>"
    )
}

fn distinct_deletes(switches: Switches) -> Option<bool> {
    let changed = !switches.on(Switch::DistinctDeletesAbsent);
    changed.then(|| switches.on(Switch::DistinctDeletes))
}

fn restrict_administrator(store: &mut Store, switches: Switches) {
    for (switch, privilege) in [
        (
            Switch::CallerCannotActOnBehalf,
            Privilege::ActOnBehalfOfAnotherUser,
        ),
        (Switch::CallerLacksAdminFilter, Privilege::AdminFilter),
    ] {
        if switches.on(switch) {
            for role in &mut store.roles {
                role.rights = role.rights.without(privilege);
            }
        }
    }
}

/// A plain organisation for tests.
#[cfg(test)]
pub(crate) fn generate(users: usize, seed: u64) -> Store {
    organization(&Options {
        users,
        seed,
        ..Options::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(store: &Store) -> Vec<String> {
        let mut lines: Vec<_> = store.filters().map(|it| format!("{it:?}")).collect();
        lines.sort();
        lines.extend(store.people.iter().map(|it| format!("{it:?}")));
        lines
    }

    #[test]
    fn the_same_seed_makes_the_same_organisation() {
        assert_eq!(fingerprint(&generate(50, 7)), fingerprint(&generate(50, 7)));
        assert_ne!(fingerprint(&generate(50, 7)), fingerprint(&generate(50, 8)));
    }

    #[test]
    fn switches_change_settings_but_not_people_and_filters() {
        let with = organization(&Options {
            users: 50,
            seed: 7,
            switches: Switches::parse("distinct-deletes,caller-lacks-admin-filter").unwrap(),
            ..Options::default()
        });
        assert_eq!(fingerprint(&with), fingerprint(&generate(50, 7)));
        assert!(with.organization.settings.contains("Sync>true<"));
        assert!(!with.rights(with.administrator).has(Privilege::AdminFilter));
    }

    #[test]
    fn on_premises_people_have_windows_logins_and_no_object_ids() {
        let store = organization(&Options {
            version: crate::Version::V8_2,
            ..Options::default()
        });
        assert!(store.people.iter().all(|it| it.object_id.is_none()));
        assert!(
            store
                .people
                .iter()
                .any(|it| it.login.starts_with("CONTOSO\\"))
        );
    }

    #[test]
    fn an_organisation_may_be_empty() {
        let store = generate(0, 1);
        assert!(store.filters().all(|it| it.owner == store.administrator));
        assert!(store.people.len() > 3);
    }
}
