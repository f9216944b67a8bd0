//! `tagtill demo`: a till in this process, on a fresh sandbox file, and the story played against it.

use super::script::NETWORK;
use super::{CLOCK_START, Style, play, print_summary};
use crate::cli::running::{Options, Running};
use crate::cli::serve::wait;
use crate::cli::verify::check_file;
use crate::cli::{Failure, Outcome, failure, say};
use crate::client::Client;
use crate::http::new_secret;
use crate::store::Scratch;
use crate::till::time::Time;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::channel;

/// Play the story of February 2013 through the real API, on a fresh sandbox file.
///
/// Everything happens over HTTP: offers, buyers, posts, the replies of the shop's bot. The sandbox charges nothing.
/// The file lies in a folder of its own among the temporary ones and is removed in the end; what a
/// demo that was killed has left is removed by the next.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End after the story; without it, the till stays for you to try out, until Ctrl-C
    #[arg(long)]
    once: bool,
    /// Where to listen; a free port by default
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Plays the story, and stays unless told not to.
///
/// # Errors
/// A sentence: what failed, or which verdict was not the expected one.
pub fn run(args: &Args) -> Outcome {
    // The story is what should be read here, not the till's log.
    log::set_max_level(log::LevelFilter::Warn);
    let (tell, told) = channel();
    if !args.once {
        ctrlc::set_handler(move || {
            let _ = tell.send(());
        })
        .map_err(failure)?;
    }
    let within = std::env::temp_dir();
    let folder = Scratch::new(&within, "tagtill-demo")
        .map_err(|error| Failure::from(format!("Cannot make a folder in {}: {error}", within.display())))?;
    let token = new_secret().map_err(failure)?;
    let options = Options {
        data: folder.path().join("demo.redb"),
        listen: args.listen,
        sandbox: true,
        clock_start: Some(Time::parse(CLOCK_START).map_err(Failure::from)?),
        admin_token: Some(token.clone()),
        playground: NETWORK,
        rehearses: true,
        ..Options::default()
    };
    let running = Running::start(&options)?;
    let told_all = tell_story(&running, &token, folder.path()).and_then(|()| {
        if args.once {
            return Ok(());
        }
        say(format_args!(
            "\nOpen {}/playground and buy something: the story is there, and goes on.",
            running.url
        ))?;
        say(format_args!("\nThe till stays at {}/ until Ctrl-C: open that to see the shop's console. Its admin token is {token}",
            running.url))?;
        say(format_args!(
            "Look around: curl -H \"Authorization: Bearer {token}\" {}/v1/orders",
            running.url
        ))?;
        wait(&running, &told, || {})
    });
    running.stop();
    told_all
}

fn tell_story(running: &Running, token: &str, folder: &Path) -> Outcome {
    let admin = Client::new(&running.url, token);
    let out = &mut std::io::stdout().lock();
    let mut summary = play(&admin, out, Style::of_stdout()).map_err(Failure::from)?;
    if let (Some((ready, told)), Some(playground)) = (summary.visit.take(), running.playground()) {
        playground.begin_with(ready, told);
    }
    let copy = folder.join("copy.redb");
    let mut file = std::fs::File::create(&copy).map_err(failure)?;
    admin.download("/v1/backups", &mut file).map_err(failure)?;
    drop(file);
    let counted = check_file(&copy)?;
    print_summary(out, &summary, &format!("verify holds: {counted}")).map_err(failure)?;
    out.flush().map_err(failure)
}
