//! `check`: what is out of line, who made it so, and putting it right.

use crate::support::World;

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

/// The login of a user whose active calendar filters can be changed.
fn somebody(world: &World) -> String {
    let filters = world.sandbox.filters();
    let users = world.sandbox.users();
    let plain = users.iter().find(|u| {
        u.may_write_filters
            && !u.disabled
            && !u.login.is_empty()
            && u.access_mode == 0
            && !u.application
            && filters.iter().any(|f| {
                f.owner == u.id
                    && f.filter_type == "appointment"
                    && f.statecode == 0
                    && f.querytype == 256
            })
    });
    plain.unwrap().login.clone()
}

#[test]
fn whoever_made_a_filter_so_is_named_with_the_time() {
    let world = World::with_users(40);
    let login = somebody(&world);
    let user = ["--user", login.as_str()];
    world
        .run(&[&["deactivate"], &YES[..], &user].concat())
        .must_be(0);
    let check = |more: &[&str]| world.run(&[&["check", "active"], &user[..], more].concat());
    let document = check(&["--format", "json"]).must_be(10).json();
    let caller = world.run(&["whoami", "--format", "json"]).json();
    let filters = document["users"][0]["filters"].as_array().unwrap();
    for modified in filters.iter().map(|filter| &filter["modified"]) {
        assert_eq!(modified["by"]["user"], login.as_str());
        assert!(modified["on"].as_str().unwrap().ends_with('Z'), "{modified}");
        let caller = caller["caller"]["user"].as_str().unwrap();
        assert_eq!(modified["on_behalf_by"]["user"], caller, "asked for: not in the run");
    }
    let table = check(&[]).must_be(10);
    assert!(table.stdout.contains("as the user"), "{table:?}");
    assert!(table.stderr.contains("should be active."), "{table:?}");
    let csv = check(&["--format", "csv"]).must_be(10);
    let header = csv.stdout.lines().next().unwrap();
    assert!(header.ends_with("modified_on_behalf_by_id"), "{header}");
}

#[test]
fn the_table_fits_80_columns_and_with_nothing_out_of_line_there_is_none() {
    let world = World::with_users(60);
    let ended = world.run(&["check", "inactive"]).must_be(10);
    let longest = ended.stdout.lines().map(|line| line.chars().count()).max();
    assert!(longest.unwrap() <= 80, "{}", ended.stdout);
    let login = somebody(&world);
    let nothing = world.run(&["check", "active", "--user", &login, "--name", "no such name"]);
    let nothing = nothing.must_be(0);
    assert_eq!(nothing.stdout, "");
    assert!(nothing.stderr.contains("in the wanted state"), "{nothing:?}");
}
