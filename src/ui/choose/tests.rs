use super::*;

fn chosen() -> Chosen {
    Chosen {
        operation: "deactivate".into(),
        ..Chosen::default()
    }
}

#[test]
fn an_empty_form_means_everybody_and_the_three_types() {
    let typed = Chosen {
        types: usual_types(),
        ..chosen()
    };
    let new = requested_run(&typed, &Posted::default()).unwrap().new;
    assert_eq!(new.selection, Selection::default());
    assert_eq!(new.criteria.describe(), Criteria::default().describe());
    assert_eq!(new.settings, RunSettings::default());
}

#[test]
fn what_cannot_be_understood_is_said_and_nothing_is_dropped() {
    let types: BTreeSet<_> = ["appointment".to_owned()].into();
    let fine = Chosen { types, ..chosen() };
    for (wrong, why) in [
        (
            Chosen {
                operation: "delete".into(),
                ..fine.clone()
            },
            "choose whether",
        ),
        (
            Chosen {
                types: BTreeSet::new(),
                ..fine.clone()
            },
            "choose a type",
        ),
        (
            Chosen {
                waves: "10,rest,5".into(),
                ..fine.clone()
            },
            "waves: nobody is left",
        ),
        (
            Chosen {
                max_changes: "many".into(),
                ..fine.clone()
            },
            "the limit: ",
        ),
        (
            Chosen {
                list: "name,age\nanna,7".into(),
                ..fine.clone()
            },
            "the list",
        ),
        (
            Chosen {
                file: "50.xlsx".into(),
                ..fine.clone()
            },
            "choose 50.xlsx again",
        ),
    ] {
        let error = requested_run(&wrong, &Posted::default()).unwrap_err();
        assert!(error.message.contains(why), "{}", error.message);
    }
    let named = Chosen {
        list: "anna@contoso.example\n\nbert@contoso.example\n".into(),
        roles: " Sales \n\n".into(),
        other_types: "contact, task".into(),
        waves: "1,rest".into(),
        max_changes: "10%".into(),
        ..fine
    };
    let new = requested_run(&named, &Posted::default()).unwrap().new;
    assert_eq!(new.selection.only.unwrap().len(), 2);
    assert_eq!(new.selection.groups.roles, ["Sales"]);
    assert_eq!(new.criteria.types().count(), 3);
    assert_eq!(new.settings.waves.len(), 2);
}
