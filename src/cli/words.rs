//! `tagtill words`: what replies say, and own files for it.

use super::{Failure, Outcome, failure, say};
use crate::till::words::{BUILT_IN, DEFAULT_LANGUAGE, Key, Language, Words, listed};
use std::path::{Path, PathBuf};

/// Show what replies say, and check words of your own.
///
/// Without an option it lists everything that a reply can say, with what is filled in. To change a text or to add a
/// language, print a file with --show, edit it, put it into a folder, check that with --check, and run the till with
/// `serve --words FOLDER`. What your file leaves out stays as it is here.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").multiple(false))]
pub struct Args {
    /// Print the file of a language: en, de, es, fr, ja
    #[arg(long, value_name = "LANG", group = "what")]
    show: Option<String>,
    /// Check the files (*.toml) in a folder: placeholders, hashtags, and whether every text fits every network
    #[arg(long, value_name = "FOLDER", group = "what")]
    check: Option<PathBuf>,
}

/// Carries it out.
pub fn run(args: &Args) -> Outcome {
    match (&args.show, &args.check) {
        (Some(code), _) => show(code),
        (_, Some(folder)) => {
            let words = load(folder, DEFAULT_LANGUAGE)?;
            let codes: Vec<_> = words.all().map(Language::code).collect();
            say(format_args!("Every text can be used. The till speaks {}.", codes.join(", ")))
        }
        _ => list(),
    }
}

fn show(code: &str) -> Outcome {
    match BUILT_IN.iter().find(|(known, _)| *known == code) {
        Some((_, text)) => say(text.trim_end()),
        None => {
            let codes: Vec<_> = BUILT_IN.iter().map(|(code, _)| *code).collect();
            Err(Failure::from(format!("There is no file for {code:?}; there are {}.", codes.join(", "))))
        }
    }
}

fn list() -> Outcome {
    for key in Key::ALL {
        let slots =
            if key.slots().is_empty() { String::new() } else { format!(" [{}]", listed(key.slots())) };
        say(format_args!("{}{slots}\n    {}", key.name(), key.about()))?;
        for template in Words::built_in().pick([None, None]).texts(*key) {
            say(format_args!("    en: {template}"))?;
        }
    }
    Ok(())
}

/// The till's languages with the files of a folder in their place or beside them.
///
/// # Errors
/// Which file cannot be read or used, and why.
pub fn load(folder: &Path, default: &str) -> Result<Words, Failure> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        Failure::from(format!("Cannot read {}: {error}", path.display()))
    };
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failure)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let folder = folder.display();
        let hint = "`tagtill words --show en` prints one to begin with";
        return Err(Failure::from(format!("There is no file that ends with .toml in {folder}; {hint}.")));
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        files.push((path.display().to_string(), text));
    }
    Words::load(&files, default).map_err(Failure::from)
}
