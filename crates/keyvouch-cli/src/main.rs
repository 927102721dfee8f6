//! The `keyvouch` command.
fn main() {}
