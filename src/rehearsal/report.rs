//! x
use super::result::Rehearsal;
pub fn page(_: &Rehearsal) -> String {
    String::new()
}
