//! `tagtill serve`: runs the till until it is told to stop.

use super::bridge::started::{self, Started, Which};
use super::running::{Options, Running};
use super::{Failure, Outcome, failure, words};
use crate::http::{hash_token, new_secret};
use crate::payments::{STRIPE_API_BASE, Stripe};
use crate::till::command::{Command, Outcome as Done};
use crate::till::role::Role;
use crate::till::state::{Direction, Read as _, Span};
use crate::till::table::Tokens;
use crate::till::time::Time;
use crate::till::words::{DEFAULT_LANGUAGE, Words};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Run the till.
///
/// On the first start it prints an admin token, once; --admin-token-file gives it one instead. It ends with exit code
/// 0 on SIGTERM and Ctrl-C, after finishing what was under way.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The data file; a fresh one is made where there is none
    #[arg(long, value_name = "FILE", env = "TAGTILL_DATA", default_value = "data/tagtill.redb")]
    data: PathBuf,
    /// Where to listen; only this machine by default, because a reverse proxy does TLS
    #[arg(long, value_name = "ADDR", env = "TAGTILL_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// File with the admin token to use: any string of 32 characters or more
    #[arg(long, value_name = "FILE", env = "TAGTILL_ADMIN_TOKEN_FILE")]
    admin_token_file: Option<PathBuf>,
    /// Play money, test cards, and a clock that can be moved forward
    #[arg(long, env = "TAGTILL_SANDBOX")]
    sandbox: bool,
    /// Who charges cards; under --sandbox also the gateway of play money
    #[arg(long, value_name = "GATEWAY", env = "TAGTILL_PAYMENTS", value_enum)]
    payments: Option<Payments>,
    /// File with Stripe's secret key; the variable `TAGTILL_STRIPE_KEY` gives the key itself
    #[arg(long, value_name = "FILE", env = "TAGTILL_STRIPE_KEY_FILE", requires = "payments")]
    stripe_key_file: Option<PathBuf>,
    /// File with the signing secret of Stripe's webhook endpoint, whose address is `/v1/gateway-events/stripe`;
    /// the variable `TAGTILL_STRIPE_WEBHOOK_SECRET` gives the secret itself
    #[arg(long, value_name = "FILE", env = "TAGTILL_STRIPE_WEBHOOK_SECRET_FILE", requires = "payments")]
    stripe_webhook_secret_file: Option<PathBuf>,
    /// Where Stripe's API is; another one for tests
    #[arg(long, value_name = "URL", env = "TAGTILL_STRIPE_BASE", default_value = STRIPE_API_BASE)]
    stripe_base: String,
    /// Where the clock of a fresh sandbox starts, as in 2013-02-12T14:00:00Z
    #[arg(long, value_name = "TIME", requires = "sandbox", value_parser = Time::parse)]
    clock_start: Option<Time>,
    /// How much of the data file to keep in memory, in MiB
    #[arg(long, value_name = "MIB", env = "TAGTILL_CACHE_MIB", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(8..=1_048_576))]
    cache_mib: u32,
    /// From one look at what is due to the next, in milliseconds
    #[arg(long, value_name = "MS", env = "TAGTILL_TICK_MS", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(10..=60_000))]
    tick_ms: u32,
    /// Connections served at once
    #[arg(long, value_name = "N", env = "TAGTILL_SLOTS", default_value_t = 128,
          value_parser = clap::value_parser!(u16).range(8..=4096))]
    slots: u16,
    /// Jobs that may wait for the next commit; beyond them callers are told to come again
    #[arg(long, value_name = "N", env = "TAGTILL_QUEUE_MAX", default_value_t = 4096,
          value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    queue_max: u32,
    /// How long replies, and what explains posts, are kept, in days; that a post was seen is kept for good
    #[arg(long, value_name = "DAYS", env = "TAGTILL_KEEP_DAYS", default_value_t = 90,
          value_parser = clap::value_parser!(u16).range(2..=3650))]
    keep_days: u16,
    /// Folder with words of your own, one file a language (*.toml); `tagtill words --help` tells more
    #[arg(long, value_name = "FOLDER", env = "TAGTILL_WORDS")]
    words: Option<PathBuf>,
    /// The language of replies where neither the post nor its offer says one
    #[arg(long, value_name = "LANG", env = "TAGTILL_LANG", default_value = DEFAULT_LANGUAGE)]
    lang: String,
    /// Where buyers reach the link and private pages, as in `https://till.example.com`; without it, where it listens
    #[arg(long, value_name = "URL", env = "TAGTILL_PUBLIC_URL", value_parser = public_url)]
    public_url: Option<String>,
    /// A second address to listen on, for those pages and for what gateways send, and nothing else
    #[arg(long, value_name = "ADDR", env = "TAGTILL_PUBLIC_LISTEN")]
    public_listen: Option<SocketAddr>,
    /// Address of a reverse proxy whose forwarded requests count as local; may be given several times
    #[arg(long, value_name = "IP", env = "TAGTILL_TRUSTED_PROXY", value_delimiter = ',')]
    trusted_proxy: Vec<IpAddr>,
    /// Network to connect from within this process, set up by its variables; `tagtill bridge NETWORK --help` names
    /// them; may be given several times
    #[arg(long, value_name = "NETWORK", env = "TAGTILL_BRIDGE", value_delimiter = ',', value_enum)]
    bridge: Vec<Which>,
}

/// Reads where pages are reached: a scheme and a host, without a path.
fn public_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let fine =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    if fine {
        Ok(text.to_owned())
    } else {
        Err("must be a scheme and a host without a path, as in https://till.example.com".to_owned())
    }
}

/// Who charges cards.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Payments {
    /// Stripe
    Stripe,
}

/// Stripe, where the till is to use it.
fn stripe(args: &Args) -> Result<Option<Arc<Stripe>>, Failure> {
    let Some(Payments::Stripe) = args.payments else { return Ok(None) };
    let key = match (&args.stripe_key_file, std::env::var("TAGTILL_STRIPE_KEY")) {
        (Some(file), _) => read_secret(file)?,
        (None, Ok(key)) => key.trim().to_owned(),
        (None, Err(_)) => {
            let sentence =
                "--payments stripe needs a secret key: --stripe-key-file FILE, or TAGTILL_STRIPE_KEY.";
            return Err(Failure::from(sentence));
        }
    };
    let mut stripe = Stripe::new(&args.stripe_base, &key).map_err(Failure::from)?;
    let webhook_secret = match &args.stripe_webhook_secret_file {
        Some(file) => Some(read_secret(file)?),
        None => std::env::var("TAGTILL_STRIPE_WEBHOOK_SECRET").ok(),
    };
    if let Some(secret) = webhook_secret {
        stripe = stripe.with_webhook_secret(secret.trim()).map_err(Failure::from)?;
    }
    if args.sandbox && stripe.is_live() {
        let sentence = "A live key of Stripe charges real money: it is refused under --sandbox.";
        return Err(Failure::from(sentence));
    }
    if !args.sandbox && !stripe.is_live() {
        log::warn!("Stripe's key is a test key: no real money is charged");
    }
    Ok(Some(Arc::new(stripe)))
}

pub fn run(args: &Args) -> Outcome {
    let (tell, told) = channel();
    ctrlc::set_handler(move || {
        let _ = tell.send(());
    })
    .map_err(failure)?;
    let admin_token = args.admin_token_file.as_deref().map(read_admin_token).transpose()?;
    let words = match &args.words {
        Some(folder) => words::load(folder, &args.lang)?,
        None => Words::load(&[], &args.lang).map_err(|wrong| Failure::from(format!("--lang: {wrong}")))?,
    };
    let bridges = started::prepare(&args.bridge)?;
    let options = Options {
        data: args.data.clone(),
        listen: args.listen,
        sandbox: args.sandbox,
        clock_start: args.clock_start,
        clock_stands: false,
        seed: None,
        admin_token,
        bridge_tokens: bridges.iter().map(started::Prepared::token).collect(),
        cache_bytes: usize::try_from(args.cache_mib).unwrap_or(256).saturating_mul(1024 * 1024),
        tick: Duration::from_millis(u64::from(args.tick_ms)),
        slots: usize::from(args.slots),
        keep_seconds: u32::from(args.keep_days) * 86_400,
        queue_jobs_max: usize::try_from(args.queue_max).unwrap_or(4096),
        trusted_proxies: args.trusted_proxy.clone(),
        public_listen: args.public_listen,
        public_url: args.public_url.clone(),
        stripe: stripe(args)?,
        playground: "sandbox",
        rehearses: true,
        // Once, and for as long as the process lives.
        words: Box::leak(Box::new(words)),
    };
    let running = Running::start(&options)?;
    announce(&running, &options)?;
    let mut bridges = Started::start(bridges, &running);
    wait(&running, &told, || bridges.look_after())?;
    log::info!("stopping");
    bridges.stop(&running);
    running.stop();
    Ok(())
}

/// Waits for a signal, or for the data file to fail; meanwhile looks after what runs beside the till.
pub fn wait(
    running: &Running,
    told: &std::sync::mpsc::Receiver<()>,
    mut look_after: impl FnMut(),
) -> Outcome {
    loop {
        look_after();
        match told.recv_timeout(Duration::from_millis(250)) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(why) = running.handle().failure() {
                    return Err(Failure::from(format!(
                        "The data file {} could not be written: {why}. Nothing that was acknowledged is lost. Make \
                         room or mend the disk, then start the till again.",
                        running.data.display()
                    )));
                }
            }
        }
    }
}

/// Says where the till listens. Nobody may be reading: then it runs all the same.
fn announce(running: &Running, options: &Options) -> Outcome {
    let mut text = format!("tagtill listens on {}\ndata file: {}\n", running.url, options.data.display());
    if options.sandbox {
        let _ = writeln!(text, "sandbox: play money; the clock shows {}", running.handle().now());
    }
    if options.admin_token.is_none()
        && let Some(token) = first_token(running)?
    {
        let _ = writeln!(text, "admin token, shown this once: {token}");
    }
    let _ = writeln!(text, "the shop's console, for who has a token: {}/", running.url);
    let _ = writeln!(text, "buyers link their cards on {}/link", running.pages_url());
    if options.sandbox {
        let _ = writeln!(text, "to try it out as a buyer: {}/playground", running.url);
    }
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

/// Makes an admin token where there is none yet.
fn first_token(running: &Running) -> Result<Option<String>, Failure> {
    let handle = running.handle();
    let mut any = false;
    let snapshot = handle.snapshot().map_err(failure)?;
    snapshot
        .scan::<Tokens>(&Span::all(), Direction::Up, |_, token| {
            any |= token.role == Role::Admin;
            if any { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .map_err(failure)?;
    if any {
        return Ok(None);
    }
    let secret = new_secret().map_err(failure)?;
    let hash = hash_token(&secret);
    match handle.call(Command::CreateToken { role: Role::Admin, hash }) {
        Ok(Ok(Done::Token(_))) => Ok(Some(secret)),
        Ok(other) => Err(Failure::from(format!("the first token could not be made: {other:?}"))),
        Err(unavailable) => Err(Failure::from(unavailable.0)),
    }
}

/// Reads a secret from a file, without the line's end.
pub fn read_secret(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::from(format!("Cannot read {}: {error}", path.display())))?;
    Ok(text.trim().to_owned())
}

fn read_admin_token(path: &Path) -> Result<String, Failure> {
    let token = read_secret(path)?;
    if token.chars().count() < 32 || token.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Failure::from(format!(
            "The admin token in {} must have 32 characters or more and no spaces: `head -c 32 /dev/urandom | \
             base64` makes one.",
            path.display()
        )));
    }
    Ok(token)
}
