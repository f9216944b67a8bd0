//! The `tagtill` binary.

fn main() {}
