//! `templates`: what new users receive.

use std::io::Write;

use crate::dataverse::{Reader, TemplateWriter};
use crate::model::{Kind, Operation, RowOutcome, State, Template, TemplateId};
use crate::plan::{Stakes, TemplateChoice, TemplateWish};
use crate::report::{Format, TemplateRun, write_template_run, write_templates};
use crate::rollout::{TemplateChange, check_types, set_template};

use super::App;
use super::args::ConsentArgs;
use super::connect::{connect, target};
use super::consent::{Consent, expected};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;
use super::scope::criteria_of;
use super::template_args::{
    TemplateChangeArgs, TemplateChoiceArgs, TemplateListArgs, TemplatesAction, TemplatesArgs,
};

/// Lists templates or sets their state.
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
    write_templates(&mut out, &templates, app.printer.format, app.printer.look())?;
    out.flush().map_err(CliError::Output)?;
    Ok(Exit::Done)
}

/// Shows, asks, sets and sums up. There is no run file: templates belong to nobody whose filters could be put
/// back, and the result names the command that takes it back.
async fn set(app: &App, args: &TemplateChangeArgs, wish: TemplateWish) -> Result<Exit, CliError> {
    let choice = choice(&args.choice)?;
    let target = target(&args.connection)?;
    let mut consent = Consent::new(&flags(args));
    let operation = match wish.state {
        State::Active => Operation::Reactivate,
        State::Inactive => Operation::Deactivate,
    };
    consent.check_early(&[expected(operation, false, &target.guards)])?;
    let connection = connect(app, target).await?;
    let reader = connection.reader().clone();
    let templates = read(&reader, &choice).await?;
    possible(&templates, wish)?;
    let wanted = wish.state;
    let planned = templates
        .into_iter()
        .map(|template| TemplateChange::planned(template, wish));
    let mut changes: Vec<_> = planned.collect();
    let to_do = count(&changes, RowOutcome::Planned);
    if to_do > 0 && !args.dry_run {
        talk_of_plan(app, &reader, wanted, &changes)?;
        let question = question(&changes, wanted);
        let stakes = Stakes {
            items: u64::try_from(to_do).unwrap_or(u64::MAX),
            ..expected(operation, false, connection.guards())
        };
        consent
            .obtain_for(&stakes, &question, &app.interrupted)
            .await?;
    }
    let done = if args.dry_run {
        Ok(())
    } else {
        set_all(&reader, &mut changes).await
    };
    show(app, &reader, wanted, &changes)?;
    done?;
    if args.dry_run {
        app.printer.say("This was a dry run: nothing was set.");
    }
    Ok(match count(&changes, RowOutcome::Failed) {
        0 => Exit::Done,
        _ => Exit::Partial,
    })
}

/// Refuses the whole where a default template would have to be inactive: the server would refuse those, and they are
/// what new users receive.
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

/// What was done before an error stays done and is shown.
async fn set_all(reader: &Reader, changes: &mut [TemplateChange]) -> Result<(), CliError> {
    let writer = TemplateWriter::new(reader.clone());
    for change in changes {
        set_template(reader, &writer, change).await?;
    }
    Ok(())
}

async fn read(reader: &Reader, choice: &TemplateChoice) -> Result<Vec<Template>, CliError> {
    let kinds = match choice {
        TemplateChoice::Fitting(criteria) => criteria.kinds(),
        TemplateChoice::Only(_) => &[Kind::Outlook, Kind::Offline],
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
        ..ConsentArgs::default()
    }
}

fn question(changes: &[TemplateChange], wanted: State) -> String {
    let planned = || changes.iter().filter(|c| c.outcome == RowOutcome::Planned);
    let templates = planned().count();
    let plural = if templates == 1 { "" } else { "s" };
    let verb = match wanted {
        State::Active => "Activate",
        State::Inactive => "Deactivate",
    };
    let turning = |to: bool| {
        let turned = planned().filter(|c| c.template.default != to && c.wanted.default == to);
        turned.count()
    };
    let default = match (turning(true), turning(false)) {
        (0, 0) => String::new(),
        (0, n) => format!(" (new users no longer receive {n})"),
        (n, _) => format!(" (new users will receive {n})"),
    };
    format!("{verb} {templates} template{plural}{default}?")
}

fn count(changes: &[TemplateChange], outcome: RowOutcome) -> usize {
    changes
        .iter()
        .filter(|change| change.outcome == outcome)
        .count()
}

fn talk_of_plan(
    app: &App,
    reader: &Reader,
    wanted: State,
    changes: &[TemplateChange],
) -> Result<(), CliError> {
    let (mut out, look) = app.printer.talk();
    write_template_run(&mut out, &run(reader, wanted, changes), Format::Table, look)?;
    writeln!(out)
        .and_then(|()| out.flush())
        .map_err(CliError::Output)
}

fn show(
    app: &App,
    reader: &Reader,
    wanted: State,
    changes: &[TemplateChange],
) -> Result<(), CliError> {
    let mut out = Printer::result();
    let (format, look) = (app.printer.format, app.printer.look());
    write_template_run(&mut out, &run(reader, wanted, changes), format, look)?;
    out.flush().map_err(CliError::Output)
}

fn run<'a>(reader: &'a Reader, wanted: State, changes: &'a [TemplateChange]) -> TemplateRun<'a> {
    TemplateRun {
        environment: reader.environment(),
        organization: &reader.identity().organization.name,
        wanted,
        changes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FilterType;

    fn changes(defaults: &[bool], wish: TemplateWish) -> Vec<TemplateChange> {
        let template = |default: &bool| Template {
            id: TemplateId(uuid::Uuid::from_u128(1)),
            name: "Appointments".into(),
            filter_type: FilterType::new("appointment"),
            kind: Kind::Outlook,
            default: *default,
            now: State::Active.with_default_status(),
            etag: None,
        };
        let planned = |default| TemplateChange::planned(template(default), wish);
        defaults.iter().map(planned).collect()
    }

    #[test]
    fn the_question_says_what_how_many_and_what_new_users_lose() {
        let (state, default) = (State::Inactive, Some(false));
        let off = TemplateWish { state, default };
        let asked = |defaults: &[bool]| question(&changes(defaults, off), state);
        assert_eq!(asked(&[false]), "Deactivate 1 template?");
        assert_eq!(
            asked(&[true, false, true]),
            "Deactivate 3 templates (new users no longer receive 2)?"
        );
        let (state, default) = (State::Active, Some(true));
        let on = TemplateWish { state, default };
        assert_eq!(
            question(&changes(&[false], on), state),
            "Activate 1 template (new users will receive 1)?"
        );
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
