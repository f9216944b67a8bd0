//! The `tagtill` binary: parses the command line, calls one command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tagtill::cli::run()
}
