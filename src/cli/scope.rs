//! Converts flags to a selection of users and criteria for their filters.

use crate::journal::ImpactOptions;
use crate::model::{FilterKind, FilterType, Operation};
use crate::plan::{Criteria, Groups, NameSource, Selection, Types, UserRef, one_name};

use super::args::ImpactArgs;

use super::error::CliError;
use super::scope_args::{KindChoice, NarrowArgs, ScopeArgs};
use super::user_lists::read_list;

/// The selected users. Reads the lists.
pub(super) fn selection(args: &ScopeArgs) -> Result<Selection, CliError> {
    if args.users_from.as_deref() == Some("-") && args.exclude_from.as_deref() == Some("-") {
        let why = "--users-from and --exclude-from cannot both read standard input";
        return Err(CliError::Usage(why.into()));
    }
    for (flag, values) in [
        ("--role", &args.role),
        ("--team", &args.team),
        ("--business-unit", &args.business_unit),
        ("--where", &args.conditions),
        ("--view", &args.view),
    ] {
        if values.iter().any(|value| value.trim().is_empty()) {
            return Err(CliError::Usage(format!("{flag}: nothing was given")));
        }
    }
    let column = args.column.as_deref();
    let mut only = named(&args.user, "--user")?;
    if let Some(path) = &args.users_from {
        only.extend(read_list(path, column)?);
    }
    let mut except = named(&args.exclude_user, "--exclude-user")?;
    if let Some(path) = &args.exclude_from {
        except.extend(read_list(path, column)?);
    }
    Ok(Selection {
        only: (!only.is_empty()).then_some(only),
        except,
        groups: Groups {
            roles: args.role.clone(),
            teams: args.team.clone(),
            units: args.business_unit.clone(),
            only_these_units: args.only_this_unit,
            conditions: args.conditions.clone(),
            views: args.view.clone(),
        },
        skip_unknown: args.skip_unknown,
    })
}

/// The users who stay in a saved plan; none where it is not narrowed. Reads the lists.
pub(super) fn narrowing(args: &NarrowArgs) -> Result<Option<Selection>, CliError> {
    if args.only_from.as_deref() == Some("-") && args.exclude_from.as_deref() == Some("-") {
        let why = "--only-from and --exclude-from cannot both read standard input";
        return Err(CliError::Usage(why.into()));
    }
    let column = args.column.as_deref();
    let list = |path: &Option<String>| {
        let read = path.as_deref().map(|path| read_list(path, column));
        read.transpose()
    };
    let only = list(&args.only_from)?;
    let mut except = named(&args.exclude_user, "--exclude-user")?;
    except.extend(list(&args.exclude_from)?.into_iter().flatten());
    let narrows = only.is_some() || !except.is_empty();
    Ok(narrows.then(|| Selection {
        only,
        except,
        groups: Groups::default(),
        skip_unknown: args.skip_unknown,
    }))
}

/// The users in a flag, one each.
fn named(names: &[String], flag: &str) -> Result<Vec<UserRef>, CliError> {
    let each = names.iter().map(|name| match one_name(name) {
        Ok(name) => Ok(UserRef {
            name,
            place: NameSource::Flag(flag.to_owned()),
        }),
        Err(fault) => Err(CliError::Usage(format!("{flag}: {fault}"))),
    });
    each.collect()
}

/// What to find out before the user agrees. Reads the list.
pub(super) fn asked(
    operation: Operation,
    args: &ImpactArgs,
    scope: &ScopeArgs,
) -> Result<ImpactOptions, CliError> {
    if args.impact && operation != Operation::Deactivate {
        let why =
            "--impact counts what is lost, and only deactivating loses anything; leave it out";
        return Err(CliError::Usage(why.into()));
    }
    let stdin_twice = [&scope.users_from, &scope.exclude_from]
        .iter()
        .any(|from| from.as_deref() == Some("-"));
    if stdin_twice && args.other_engine.as_deref() == Some("-") {
        let why = "--other-engine cannot read standard input, too; write the list to a file";
        return Err(CliError::Usage(why.into()));
    }
    let column = scope.column.as_deref();
    let other_engine = args.other_engine.as_deref();
    let other_engine = other_engine.map(|path| read_list(path, column));
    Ok(ImpactOptions {
        impact: args.impact,
        other_engine: other_engine.transpose()?,
    })
}

/// The criteria for filters.
pub(super) fn criteria(args: &ScopeArgs) -> Result<Criteria, CliError> {
    criteria_of(&args.types, args.kind, args.name.as_deref())
}

/// The criteria from the flags themselves.
pub(super) fn criteria_of(
    types: &[String],
    kind: KindChoice,
    name: Option<&str>,
) -> Result<Criteria, CliError> {
    let types = match types {
        [] => Types::default(),
        types if types.iter().any(|t| t.eq_ignore_ascii_case("all")) => Types::All,
        types => Types::Only(types.iter().map(|t| FilterType::new(t.trim())).collect()),
    };
    let kinds = match kind {
        KindChoice::Outlook => vec![FilterKind::Outlook],
        KindChoice::Offline => vec![FilterKind::Offline],
        KindChoice::Both => vec![FilterKind::Outlook, FilterKind::Offline],
    };
    Ok(Criteria::new(types, kinds, name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> ScopeArgs {
        ScopeArgs {
            user: vec![],
            users_from: None,
            role: vec![],
            team: vec![],
            business_unit: vec![],
            only_this_unit: false,
            conditions: vec![],
            view: vec![],
            exclude_user: vec![],
            exclude_from: None,
            column: None,
            skip_unknown: false,
            types: vec![],
            kind: KindChoice::Outlook,
            name: None,
            survey: None,
        }
    }

    #[test]
    fn without_flags_everybody_and_the_calendar_types_are_meant() {
        assert_eq!(selection(&args()).unwrap(), Selection::default());
        let criteria = criteria(&args()).unwrap();
        assert_eq!(criteria.describe(), Criteria::default().describe());
    }

    #[test]
    fn a_list_that_cannot_be_read_is_named() {
        let args = ScopeArgs {
            users_from: Some("/does/not/exist.csv".into()),
            ..args()
        };
        let error = selection(&args).unwrap_err().to_string();
        assert!(error.starts_with("/does/not/exist.csv: "), "{error}");
    }

    #[test]
    fn a_flag_that_names_several_users_or_nobody_is_refused() {
        for name in [
            "a@x.example, b@x.example",
            "a@x.example b@x.example",
            "",
            "\u{200b}",
        ] {
            let flag = ScopeArgs {
                exclude_user: vec![name.into()],
                ..args()
            };
            let error = selection(&flag).unwrap_err().to_string();
            assert!(error.starts_with("--exclude-user: "), "{name:?}: {error}");
        }
        let flag = ScopeArgs {
            user: vec!["\u{200e}Anna <SMTP:anna@x.example>".into()],
            ..args()
        };
        let only = selection(&flag).unwrap().only.unwrap();
        assert_eq!(only[0].name, "anna@x.example");
    }

    #[test]
    fn all_among_the_types_means_every_type() {
        let args = ScopeArgs {
            types: vec!["contact".into(), "ALL".into()],
            kind: KindChoice::Both,
            ..args()
        };
        let criteria = criteria(&args).unwrap();
        assert_eq!(criteria.kinds().len(), 2);
        assert!(criteria.describe().contains("every type"));
    }
}
