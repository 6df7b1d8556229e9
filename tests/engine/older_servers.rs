//! On-premises and version 8.

use syncfilters::model::Operation;
use syncfilters::sandbox::{Options, Version};

use crate::support::World;

#[tokio::test]
async fn servers_of_every_version_are_spoken_to_in_their_own_way() {
    for version in [Version::V8_0, Version::V8_2, Version::V9_1, Version::V9_2] {
        let world = World::new(Options {
            users: 60,
            version,
            path_prefix: Some("contoso".into()),
            ..Options::default()
        })
        .await;
        let before = world.states();
        let done = world.carry_out(Operation::Deactivate).await;
        let changed = done.reader().view(|view| view.users()).unwrap().changed;
        assert!(changed > 25, "{version:?}: {changed}");
        world.undo(&done).await;
        assert_eq!(world.states(), before, "{version:?}");
    }
}
