//! What the browser notes down: what went wrong in a page, what it asked for, and how much that was.

use super::driver::Browser;
use serde_json::{Value, json};

/// Since the test began; the bytes since the page did.
#[derive(Default)]
pub struct Log {
    /// Where the till is: the first page's origin.
    pub origin: Option<String>,
    /// What the console says of errors.
    errors: Vec<String>,
    /// What may be among them.
    expected: Vec<String>,
    /// Addresses that were asked for, elsewhere than at the till.
    elsewhere: Vec<String>,
    /// All addresses.
    pub requests: Vec<String>,
    /// Bytes on the wire for the page that is shown, with its heads.
    pub bytes: f64,
}

impl Log {
    fn take_in(&mut self, event: &Value) {
        let params = &event["params"];
        match event["method"].as_str() {
            Some("Network.requestWillBeSent") => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                let document = params["type"] == "Document" && params["requestId"] == params["loaderId"];
                if document && params["redirectResponse"].is_null() {
                    self.bytes = 0.0;
                }
                self.requests.push(url.to_owned());
                let here = self.origin.as_deref().is_some_and(|origin| url.starts_with(origin));
                let inside = ["data:", "blob:", "about:"].iter().any(|scheme| url.starts_with(scheme));
                if !here && !inside {
                    self.elsewhere.push(url.to_owned());
                }
            }
            Some("Network.loadingFinished") => {
                self.bytes += params["encodedDataLength"].as_f64().unwrap_or_default();
            }
            _ => {}
        }
    }
}

impl Browser {
    /// Takes in what was noted down since.
    pub(super) fn read_log(&self) {
        let read = |kind: &str| self.ask("POST", "/se/log", &json!({"type": kind})).unwrap_or_default();
        let mut log = self.log.borrow_mut();
        for entry in read("performance").as_array().into_iter().flatten() {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            log.take_in(&message["message"]);
        }
        for entry in read("browser").as_array().into_iter().flatten() {
            if entry["level"] == "SEVERE" {
                log.errors.push(entry["message"].as_str().unwrap_or_default().to_owned());
            }
        }
    }

    /// From now on, console errors with these words are as they should be: of an answer that is to be a refusal, of a
    /// till that is to be away.
    pub fn expect_error(&self, words: &str) {
        self.log.borrow_mut().expected.push(words.to_owned());
    }

    /// Errors in the console, scripts and styles that the policy forbade among them, and requests to somebody else.
    pub fn complaints(&self) -> Vec<String> {
        self.read_log();
        let mut log = self.log.borrow_mut();
        let (errors, elsewhere) = (std::mem::take(&mut log.errors), std::mem::take(&mut log.elsewhere));
        let unexpected = |error: &String| !log.expected.iter().any(|words| error.contains(words));
        let asked = elsewhere.into_iter().map(|url| format!("asked somebody else: {url}"));
        errors.into_iter().filter(unexpected).chain(asked).collect()
    }

    /// The same once the till may have ended before the page that is still open.
    pub(super) fn complaints_at_the_end(&self) -> Vec<String> {
        let ends = [
            "net::ERR_CONNECTION_",
            "net::ERR_SOCKET_NOT_CONNECTED",
            "net::ERR_EMPTY_RESPONSE",
            "Failed to fetch",
        ];
        let ended = |words: &String| ends.iter().any(|end| words.contains(end));
        self.complaints().into_iter().filter(|words| !ended(words)).collect()
    }

    /// The addresses that were asked for so far.
    pub fn requests(&self) -> Vec<String> {
        self.read_log();
        self.log.borrow().requests.clone()
    }
}
