//! `tagtill bridge mastodon`: its flags, and how its token is got.

use super::{Common, Failure, Outcome, run_one, say, secret};
use crate::bridges::mastodon::{Mastodon, Visibility, login};
use crate::bridges::{Network, check_base};
use crate::cli::{failure, unwritable};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// Mastodon, GoToSocial or Akkoma.
///
/// First get a token for the bot's account: `tagtill bridge mastodon --server https://example.social --login
/// --access-token-file FILE`. Then try it with `--check`. Step by step: docs/mastodon.md.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    setup: Setup,
    /// Get a token for the account in a browser, and write it to the file that --access-token-file names
    #[arg(long, conflicts_with_all = ["check", "dry_run"])]
    login: bool,
}

/// What is about Mastodon alone.
#[derive(Debug, Clone, clap::Args)]
pub struct Setup {
    /// Address of the server where the bot's account is
    #[arg(long, value_name = "URL", env = "TAGTILL_MASTODON_SERVER")]
    server: String,
    /// File with the account's token (or the token itself in `TAGTILL_MASTODON_TOKEN`)
    #[arg(long, value_name = "FILE", env = "TAGTILL_MASTODON_TOKEN_FILE")]
    access_token_file: Option<std::path::PathBuf>,
    /// Who sees replies to public posts
    #[arg(long, env = "TAGTILL_MASTODON_VISIBILITY", value_enum, default_value_t)]
    visibility: Visibility,
}

pub fn run(args: &Args) -> Outcome {
    if args.login {
        return log_in(&args.setup);
    }
    run_one(network(&args.setup)?, &args.common)
}

/// The network as it is set up.
///
/// # Errors
/// A sentence where the address cannot be used or the token is missing.
pub fn network(setup: &Setup) -> Result<Arc<dyn Network>, Failure> {
    let server = check_base(&setup.server).map_err(Failure::from)?;
    let file = setup.access_token_file.as_deref();
    let token = secret(file, "TAGTILL_MASTODON_TOKEN", "The account's token", "--access-token-file")?;
    if token.is_empty() || token.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Failure::from("The account's token is empty, or is no token. Get one with --login."));
    }
    Ok(Arc::new(Mastodon::new(server, token, setup.visibility)))
}

fn log_in(setup: &Setup) -> Outcome {
    let server = check_base(&setup.server).map_err(Failure::from)?;
    let Some(file) = &setup.access_token_file else {
        return Err(Failure::from("--login needs --access-token-file FILE: the token is written there."));
    };
    let before = whose(&server, file)?;
    let app = login::App::register(&server).map_err(failure)?;
    say("Open this address in a browser where you are signed in as the bot, and allow it:")?;
    say(format_args!("\n  {}\n", app.address()))?;
    say("Then paste the code that is shown there, and press Enter:")?;
    let mut code = String::new();
    std::io::stdin().read_line(&mut code).map_err(failure)?;
    if code.trim().is_empty() {
        return Err(Failure::from("There was no code: nothing is written."));
    }
    let token = app.token(&code).map_err(failure)?;
    let (id, acct) = login::account_of(&server, &token).map_err(failure)?;
    if let Some((_, before)) = before.filter(|(before, _)| *before != id) {
        return Err(Failure::from(format!(
            "{} holds the token of @{before}, and this one is of @{acct}: nothing is written. Name another file.",
            file.display()
        )));
    }
    write(file, &token)?;
    say(format_args!("The token of @{acct} is in {}. Now try:\n", file.display()))?;
    say(format_args!(
        "  tagtill bridge mastodon --server {server} --access-token-file {} --check",
        file.display()
    ))
}

/// Whose token a file holds already, so that none is lost.
fn whose(server: &str, file: &Path) -> Result<Option<(String, String)>, Failure> {
    if !file.exists() {
        return Ok(None);
    }
    let token = super::super::serve::read_secret(file)?;
    if token.is_empty() {
        return Ok(None);
    }
    login::account_of(server, &token).map(Some).map_err(|trouble| {
        Failure::from(format!(
            "{} holds something already, and {server} does not say whose it is ({trouble}). Name another file, or \
             remove it.",
            file.display()
        ))
    })
}

/// Writes a secret so that only its owner can read it, all of it or nothing.
fn write(file: &Path, token: &str) -> Outcome {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(beside)
        .and_then(|mut new| {
            new.write_all(token.as_bytes())?;
            new.write_all(b"\n")?;
            new.sync_all()
        })
        .and_then(|()| std::fs::rename(beside, file));
    written.map_err(|error| unwritable(file, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn setup(server: &str, file: &Path) -> Setup {
        Setup {
            server: server.to_owned(),
            access_token_file: Some(file.to_owned()),
            visibility: Visibility::default(),
        }
    }

    #[test]
    fn a_token_is_written_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "old").unwrap();
        write(&file, "secret").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "secret\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(&folder.path().join("none/token"), "secret").is_err());
    }

    #[test]
    fn what_cannot_be_used_is_said_before_anything_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let why = |server: &str| network(&setup(server, &file)).err().map(|failure| failure.sentence);
        assert!(why("http://a.example").unwrap().contains("https://"));
        assert!(why("https://a.example").unwrap().contains("Cannot read"));
        std::fs::write(&file, " \n").unwrap();
        assert!(why("https://a.example").unwrap().contains("--login"));
        std::fs::write(&file, "secret\n").unwrap();
        assert_eq!(why("https://a.example/"), None);
    }
}
