//! The processes and the wire: two browsers at most, each used by one test after the other, ended with the tests.

use super::log::Log;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// Browsers that may run at once.
const BROWSERS_MAX: usize = 2;

/// Browsers that wait for a test, and how many there are.
static POOL: Mutex<(Vec<Browser>, usize)> = Mutex::new((Vec::new(), 0));
static GIVEN_BACK: Condvar = Condvar::new();

/// One browser, with the session of its driver.
pub struct Browser {
    /// A shell that ends its whole group when its input is closed: by us, or by our end, however it came.
    guard: Child,
    agent: ureq::Agent,
    session: String,
    pub(super) log: RefCell<Log>,
    pub(super) width: Cell<u32>,
    /// How many screenshots of failures there are.
    pub(super) failures: Cell<u32>,
}

/// A browser for one test. Given back at its end; a test that left errors in the console fails there.
pub struct Chromium(Option<Browser>);

impl Chromium {
    /// A browser, where there is one on this machine.
    pub fn take() -> Option<Self> {
        let mut pool = POOL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let browser = loop {
            if let Some(browser) = pool.0.pop() {
                break Some(browser);
            }
            if pool.1 < BROWSERS_MAX {
                pool.1 += 1;
                break None;
            }
            pool = GIVEN_BACK.wait(pool).unwrap_or_else(std::sync::PoisonError::into_inner);
        };
        drop(pool);
        // A failure to start leaves its place taken by nobody.
        let mut place = Self(None);
        place.0 = Some(match browser {
            Some(browser) => browser,
            None => Browser::start(&driver()?),
        });
        place.fresh();
        Some(place)
    }
}

impl Deref for Chromium {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        self.0.as_ref().unwrap()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        let errors = match &self.0 {
            Some(browser) if !failed => browser.complaints_at_the_end(),
            _ => Vec::new(),
        };
        let browser = self.0.take().filter(|_| !failed && errors.is_empty());
        let mut pool = POOL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match browser {
            Some(browser) => pool.0.push(browser),
            None => pool.1 -= 1,
        }
        drop(pool);
        GIVEN_BACK.notify_one();
        assert!(errors.is_empty(), "the browser complains:\n{}", errors.join("\n"));
    }
}

/// The driver on this machine; says where there is none.
fn driver() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TAGTILL_CHROMEDRIVER") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join("chromedriver")).find(|it| it.is_file());
    if found.is_none() {
        eprintln!("no TAGTILL_CHROMEDRIVER, and no chromedriver on the PATH: nothing is tested here");
    }
    found
}

impl Browser {
    fn start(driver: &PathBuf) -> Self {
        let profile = tempfile::tempdir().unwrap().keep();
        // Everything that the driver starts is in the shell's group.
        let script = "trap : TERM; \"$0\" --port=0 & read -r _; kill -TERM 0; wait\n\
                      until rm -rf \"$1\"; do sleep 0.1; done";
        let mut guard = Command::new("sh")
            .arg("-c")
            .arg(script)
            .arg(driver)
            .arg(&profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Where the browser keeps its locks and crash reports, too.
            .env("TMPDIR", &profile)
            .env("TZ", "UTC")
            .process_group(0)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(guard.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let rest = line.split("started successfully on port ").nth(1)?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let Some(port) = port else { panic!("{} did not start", driver.display()) };
        // Somebody has to read what it says, or it waits for that.
        std::thread::spawn(move || lines.for_each(drop));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        let mut browser = Self {
            guard,
            agent: config.into(),
            session: format!("http://127.0.0.1:{port}/session"),
            log: RefCell::default(),
            width: Cell::new(1280),
            failures: Cell::new(0),
        };
        let user_data = profile.join("user");
        let mut options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--window-size=1280,900", "--lang=en-GB", "--accept-lang=en-GB", format!("--user-data-dir={}", user_data.display()),
        ]});
        if let Some(binary) = std::env::var_os("TAGTILL_CHROMIUM") {
            options["binary"] = json!(binary.to_str());
        }
        let begun = browser.ask(
            "POST",
            "",
            &json!({"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }}}),
        );
        let id = begun.unwrap_or_else(|error| panic!("no browser: {error}"))["sessionId"].clone();
        browser.session = format!("{}/{}", browser.session, id.as_str().unwrap());
        browser
    }

    /// As if it had just been started: no pages, no cookies, nothing kept.
    fn fresh(&self) {
        let windows = self.windows();
        for window in windows.iter().skip(1) {
            self.command("POST", "/window", &json!({"handle": window}));
            self.command("DELETE", "/window", &Value::Null);
        }
        self.command("POST", "/window", &json!({"handle": windows[0]}));
        self.command("POST", "/url", &json!({"url": "about:blank"}));
        self.cdp("Network.clearBrowserCookies", &json!({}));
        self.cdp("Emulation.setScriptExecutionDisabled", &json!({"value": false}));
        self.set_up();
        self.read_log();
        self.log.replace(Log::default());
    }

    /// What holds for each window.
    pub(super) fn set_up(&self) {
        self.offline(false);
        // Each page is weighed as if it was seen for the first time.
        self.cdp("Network.setCacheDisabled", &json!({"cacheDisabled": true}));
        self.width(1280);
        self.dark(false);
    }

    /// A command of the driver's; its error, as the driver names it.
    pub(super) fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.session));
        let text = if method == "POST" { body.to_string() } else { String::new() };
        let request = request.header("Content-Type", "application/json").body(text).unwrap();
        let mut answer = self.agent.run(request).map_err(|error| error.to_string())?;
        let text = answer.body_mut().with_config().limit(1 << 28).read_to_string().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path}: {text}"));
        match value["value"]["error"].as_str() {
            None => Ok(value["value"].clone()),
            Some(error) => {
                Err(format!("{error}: {}", value["value"]["message"].as_str().unwrap_or_default()))
            }
        }
    }

    #[track_caller]
    pub(super) fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, path, body).unwrap_or_else(|error| self.fail(&format!("{method} {path}: {error}")))
    }

    /// A command of the protocol of the browser's own developer tools.
    #[track_caller]
    pub fn cdp(&self, command: &str, params: &Value) -> Value {
        self.command("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": params}))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
