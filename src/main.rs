//! The `tagtill` binary: parses the command line, calls one command.

use std::process::ExitCode;

/// What one thread asks for, another gives back: commands and answers go from thread to thread, and the C library's
/// allocator has them wait for each other. Its measure is in docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tagtill::cli::run()
}
