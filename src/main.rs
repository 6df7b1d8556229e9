//! The `syncfilters` command.

fn main() {}
