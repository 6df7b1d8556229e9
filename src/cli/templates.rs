//! `templates`: what new users get.

use std::io::Write;
use std::num::NonZeroUsize;

use crate::dataverse::Reader;
use crate::model::{FilterKind, Operation, State, Target, Template, TemplateId};
use crate::plan::{Stakes, TemplateChange, TemplateChoice, TemplateWish};
use crate::report::{TemplateRun, write_template_run, write_templates};
use crate::rollout::{NewRun, NewRunFile, check_types};

use super::App;
use super::carry_out::RunGroup;
use super::connect::{connect, store, target};
use super::consent::{self, Consent, expected};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::scope::criteria_of;
use super::shared_args::ConsentArgs;
use super::site::{Ending, EnvironmentRun};
use super::template_args::{
    TemplateChangeArgs, TemplateChoiceArgs, TemplateListArgs, TemplatesAction, TemplatesArgs,
};

pub(super) async fn templates(app: &App, args: &TemplatesArgs) -> Result<Exit, CliError> {
    match &args.action {
        TemplatesAction::List(args) => list(app, args).await,
        TemplatesAction::Activate(args) => {
            let default = (args.default || args.clear_default).then_some(args.default);
            let state = State::Active;
            set(app, &args.change, TemplateWish { state, default }).await
        }
        TemplatesAction::Deactivate(args) => {
            let default = args.clear_default.then_some(false);
            let state = State::Inactive;
            set(app, &args.change, TemplateWish { state, default }).await
        }
    }
}

async fn list(app: &App, args: &TemplateListArgs) -> Result<Exit, CliError> {
    let choice = choice(&args.choice)?;
    let connection = connect(app, target(&args.connection)?).await?;
    let reader = connection.reader().clone();
    let templates = read(&reader, &choice).await?;
    let mut out = Printer::result();
    write_templates(
        &mut out,
        &templates,
        app.printer.format,
        app.printer.style(),
    )?;
    out.flush().map_err(CliError::Output)?;
    Ok(Exit::Done)
}

/// Plans, shows, asks, sets and sums up, as every run. Where nothing is to be set there is no run.
async fn set(app: &App, args: &TemplateChangeArgs, wish: TemplateWish) -> Result<Exit, CliError> {
    let choice = choice(&args.choice)?;
    let target = target(&args.connection)?;
    let flags = flags(args);
    let mut consent = Consent::new(&flags);
    let operation = match wish.state {
        State::Active => Operation::Reactivate,
        State::Inactive => Operation::Deactivate,
    };
    consent.check_early(&[expected(operation, false, &target.guards)])?;
    let connection = connect(app, target).await?;
    consent.check_early(&[expected(operation, false, connection.guards())])?;
    let reader = connection.reader();
    let templates = read(reader, &choice).await?;
    possible(&templates, wish)?;
    let planned = templates
        .into_iter()
        .map(|template| TemplateChange::planned(template, wish));
    let changes: Vec<_> = planned.collect();
    let open = changes.iter().filter(|change| change.is_open()).count();
    if args.dry_run || open == 0 {
        let settings = consent::settings(&flags, &args.connection);
        let guards = connection.guards();
        let to_count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let stakes = Stakes {
            target: Target::Templates,
            items: to_count(open),
            touched: to_count(open),
            selected: to_count(changes.len()),
            limits: settings.limits(&settings, &guards.limits),
            ..expected(operation, false, guards)
        };
        let dry_run = consent.dry_run(&[stakes]);
        if let Some(Some(why)) = dry_run.refused.first() {
            return Err(CliError::refused(why, None));
        }
        show(app, reader, operation, &changes)?;
        if args.dry_run {
            app.printer.status_line("Dry run: nothing was sent.");
            dry_run.print(app);
        }
        return Ok(Exit::Done);
    }
    let mut new = NewRun::of(operation);
    new.target = Target::Templates;
    if let TemplateChoice::Fitting(criteria) = choice {
        new.criteria = criteria;
    }
    new.settings = consent::settings(&flags, &args.connection);
    let at = NewRunFile::InStore(store(&app.output, Some(&args.connection))?);
    let name = reader.identity().organization.name.clone();
    let site = match new.plan_templates(&connection, &at, changes) {
        Ok(planned) => EnvironmentRun::planned(name, planned),
        Err(why) => EnvironmentRun::ended(name, Ending::badly(&why.into())),
    };
    let group = RunGroup {
        app,
        sites: vec![site],
        at_once: NonZeroUsize::MIN,
        is_narrowed: false,
    };
    group.carry_out(&mut consent).await
}

/// Refuses everything if a default template would have to be inactive: the server would refuse it, and new users get
/// these templates.
fn possible(templates: &[Template], wish: TemplateWish) -> Result<(), CliError> {
    let defaults = templates.iter().filter(|t| wish.is_impossible(t));
    let named = |t: &Template| format!("{} ({}, {})", t.name, t.filter_type, t.kind.as_str());
    let defaults: Vec<_> = defaults.map(named).collect();
    if defaults.is_empty() {
        Ok(())
    } else {
        Err(CliError::DefaultTemplates(defaults))
    }
}

async fn read(reader: &Reader, choice: &TemplateChoice) -> Result<Vec<Template>, CliError> {
    let kinds = match choice {
        TemplateChoice::Fitting(criteria) => criteria.kinds(),
        TemplateChoice::Only(_) => &[FilterKind::Outlook, FilterKind::Offline],
    };
    if let TemplateChoice::Fitting(criteria) = choice {
        check_types(reader, criteria).await?;
    }
    let templates = reader.templates(kinds).await?;
    choice.of(templates).map_err(|missing| {
        let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
        CliError::Usage(format!(
            "--only: there is no template with the id {}; nothing was changed; `syncfilters templates list --type all --kind both \
             --format json` has the ids",
            missing.join(", ")
        ))
    })
}

fn choice(args: &TemplateChoiceArgs) -> Result<TemplateChoice, CliError> {
    if args.only.is_empty() {
        let criteria = criteria_of(&args.types, args.kind, args.name.as_deref())?;
        return Ok(TemplateChoice::Fitting(criteria));
    }
    let only = args.only.iter().map(|id| TemplateId(*id)).collect();
    Ok(TemplateChoice::Only(only))
}

fn flags(args: &TemplateChangeArgs) -> ConsentArgs {
    ConsentArgs {
        yes: args.yes,
        confirm_environment: args.confirm_environment.iter().cloned().collect(),
        dry_run: args.dry_run,
        max_changes: args.max_changes,
        ..ConsentArgs::default()
    }
}

fn show(
    app: &App,
    reader: &Reader,
    operation: Operation,
    changes: &[TemplateChange],
) -> Result<(), CliError> {
    let mut out = Printer::result();
    let (format, style) = (app.printer.format, app.printer.style());
    let run = TemplateRun {
        environment: reader.environment().to_string(),
        organization: &reader.identity().organization.name,
        operation,
        changes,
        run: None,
    };
    write_template_run(&mut out, &run, format, style)?;
    out.flush().map_err(CliError::Output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterType, Modification};

    fn changes(defaults: &[bool], wish: TemplateWish) -> Vec<TemplateChange> {
        let template = |default: &bool| Template {
            id: TemplateId(uuid::Uuid::from_u128(1)),
            name: "Appointments".into(),
            filter_type: FilterType::new("appointment"),
            kind: FilterKind::Outlook,
            default: *default,
            now: State::Active.with_default_status(),
            etag: None,
            modified: Modification::default(),
        };
        let planned = |default| TemplateChange::planned(template(default), wish);
        defaults.iter().map(planned).collect()
    }

    #[test]
    fn default_templates_are_refused_by_name_before_anything_is_set() {
        let state = State::Inactive;
        let refused = |default| {
            let wish = TemplateWish { state, default };
            let templates = changes(&[true, false], wish);
            let templates: Vec<_> = templates.into_iter().map(|c| c.template).collect();
            possible(&templates, wish)
        };
        assert!(refused(Some(false)).is_ok());
        let report = refused(None).unwrap_err().report();
        assert_eq!(report.kind, "default-template");
        assert_eq!(Exit::from(report.class), Exit::Refused);
        assert!(
            report
                .message
                .contains("Appointments (appointment, outlook)")
        );
        assert!(report.hint.unwrap().contains("--clear-default"));
    }
}
