//! Accounts that every organisation has, and the caller.

use super::rng::Rng;
use super::structure::{ADMINISTRATOR, Structure};
use crate::rows::{UserKind, UserRecord};

/// One built-in account: names, login, access mode, whether it is an application.
struct Account {
    first: &'static str,
    last: &'static str,
    login: &'static str,
    access_mode: i32,
    application: bool,
    administrator: bool,
}

const fn person(first: &'static str, last: &'static str, login: &'static str) -> Account {
    Account {
        first,
        last,
        login,
        access_mode: 0,
        application: false,
        administrator: false,
    }
}

/// System and application users (Microsoft: "System and application users"). The first one is the caller.
const ACCOUNTS: &[Account] = &[
    Account {
        application: true,
        administrator: true,
        access_mode: 4,
        ..person("#", "syncfilters", "syncfilters@contoso.example")
    },
    Account {
        administrator: true,
        ..person("", "SYSTEM", "")
    },
    Account {
        administrator: true,
        ..person("", "INTEGRATION", "INTEGRATION")
    },
    Account {
        access_mode: 3,
        ..person("Support", "User", "crmoln@microsoft.com")
    },
    Account {
        access_mode: 5,
        ..person("Delegated", "Admin", "crmoln2@microsoft.com")
    },
    Account {
        access_mode: 4,
        application: true,
        ..person("", "# PowerAppsDataService", "bap_sa@microsoft.com")
    },
    Account {
        access_mode: 4,
        application: true,
        ..person("", "# RelevanceSearch", "RelevanceSearch@onmicrosoft.com")
    },
];

/// The built-in accounts; the first one belongs to the administrator's token.
pub(super) fn accounts(rng: &mut Rng, structure: &Structure) -> Vec<UserRecord> {
    let accounts = ACCOUNTS.iter().enumerate();
    accounts
        .map(|(index, account)| row(rng, index, account, structure))
        .collect()
}

fn row(rng: &mut Rng, index: usize, account: &Account, structure: &Structure) -> UserRecord {
    let role = account
        .administrator
        .then(|| structure.role(ADMINISTRATOR, 0));
    let without_directory = matches!(account.last, "SYSTEM" | "INTEGRATION");
    UserRecord {
        id: rng.id(),
        object_id: (!without_directory).then(|| rng.id()),
        first_name: account.first.to_owned(),
        last_name: account.last.to_owned(),
        login: account.login.to_owned(),
        email: account
            .login
            .contains('@')
            .then(|| account.login.to_owned()),
        unit: 0,
        roles: role.flatten().into_iter().collect(),
        teams: Vec::new(),
        kind: UserKind::BuiltIn,
        // SYSTEM stays enabled, so that a client that lists enabled users has to handle it.
        disabled: account.last == "INTEGRATION",
        licensed: false,
        deleted: false,
        integration: account.last == "INTEGRATION",
        setup: account.last == "SYSTEM",
        // The caller has own filters, which a client reads if its impersonation is ignored.
        populated: index == 0,
        access_mode: account.access_mode,
        managed_type: 0,
        application_id: account.application.then(|| rng.id()),
        mailbox: None,
        created_on: rng.moment(3000),
        version: 900_000 + index as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::super::structure::structure;
    use super::*;

    #[test]
    fn the_caller_comes_first_and_may_everything() {
        let mut rng = Rng::new(1);
        let structure = structure(&mut rng);
        let accounts = accounts(&mut rng, &structure);
        let caller = &accounts[0];
        assert!(caller.application_id.is_some() && !caller.disabled);
        assert_eq!(structure.roles[caller.roles[0]].name, ADMINISTRATOR);
    }

    #[test]
    fn system_has_neither_login_nor_object_id() {
        let mut rng = Rng::new(1);
        let structure = structure(&mut rng);
        let accounts = accounts(&mut rng, &structure);
        let system = accounts.iter().find(|it| it.last_name == "SYSTEM").unwrap();
        assert!(system.login.is_empty() && system.object_id.is_none());
    }
}
