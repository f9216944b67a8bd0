//! `tagtill completions`.

use super::Cli;
use clap::CommandFactory as _;
use clap_complete::Shell;

/// Print a completion script for a shell.
///
/// For bash: `tagtill completions bash > /etc/bash_completion.d/tagtill`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

pub fn run(args: &Args) {
    clap_complete::generate(args.shell, &mut Cli::command(), "tagtill", &mut std::io::stdout());
}
