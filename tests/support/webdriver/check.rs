//! What every page has to be: within the window, readable by everybody, light, and nobody else's business.

use super::driver::Browser;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;

/// The heaviest page.
const BYTES_MAX: f64 = 150_000.0;

fn target(name: &str) -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target"));
    std::fs::create_dir_all(folder.join("screenshots")).unwrap();
    folder.join(name)
}

/// The script of axe-core; without one, pages are looked at without it, unless `tests/run` promised one.
fn axe() -> Option<&'static str> {
    static AXE: std::sync::LazyLock<Option<String>> = std::sync::LazyLock::new(|| {
        if let Some(path) = std::env::var_os("TAGTILL_AXE") {
            return Some(std::fs::read_to_string(path).expect("TAGTILL_AXE is a script"));
        }
        assert!(std::env::var_os("TAGTILL_CHROMEDRIVER").is_none(), "TAGTILL_AXE is missing");
        eprintln!("TAGTILL_AXE is not set: axe-core does not look at the pages");
        None
    });
    AXE.as_deref()
}

impl Browser {
    /// Keeps a picture of the whole page as `target/screenshots/NAME.png`.
    #[track_caller]
    pub fn screenshot(&self, name: &str) {
        self.try_screenshot(name).unwrap_or_else(|error| panic!("no picture of {name}: {error}"));
    }

    pub(super) fn try_screenshot(&self, name: &str) -> Result<String, String> {
        let command = json!({"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": true}});
        let picture = self.ask("POST", "/goog/cdp/execute", &command)?;
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap_or_default());
        let path = target(&format!("screenshots/{name}.png"));
        std::fs::write(&path, bytes.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())?;
        Ok(path.display().to_string())
    }

    /// The page that is open, in the three widths, light and dark: it fits, axe-core finds nothing serious, nothing
    /// went wrong in the console, nobody else was asked for anything, it is no heavier than it may be. Keeps pictures.
    #[track_caller]
    pub fn check_page(&self, name: &str) {
        self.weigh(name);
        self.check_look(name);
        let complaints = self.complaints();
        assert!(complaints.is_empty(), "{name}: {}", complaints.join("\n"));
    }

    /// The same without its weight: for a page in another state.
    #[track_caller]
    pub fn check_look(&self, name: &str) {
        for dark in [false, true] {
            self.dark(dark);
            for width in [320, 390, 1280] {
                self.width(width);
                let name = format!("{name}-{width}{}", if dark { "-dark" } else { "" });
                self.screenshot(&name);
                self.fits(&name);
                // The middle width differs from the others by little.
                if width != 390 {
                    let found = self.axe();
                    assert!(found.is_empty(), "{name}: axe-core finds\n{}", found.join("\n"));
                }
            }
        }
        self.dark(false);
    }

    /// The page has no scrollbar at its bottom.
    #[track_caller]
    pub fn fits(&self, name: &str) {
        let script = "const room = document.documentElement.clientWidth;\
            const wide = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > room + 1);\
            return [document.documentElement.scrollWidth - room, wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 120))]";
        let over = self.run(script, &[]);
        assert!(over[0].as_i64().unwrap() <= 0, "{name} is {} px too wide: {}", over[0], over[1]);
    }

    /// What axe-core finds that is serious or critical. It comes in beside the page, so that the page's policy is as it is.
    #[track_caller]
    pub fn axe(&self) -> Vec<String> {
        let Some(script) = axe() else { return Vec::new() };
        let there = json!({"expression": "typeof axe", "returnByValue": true});
        if self.cdp("Runtime.evaluate", &there)["result"]["value"] != "object" {
            self.cdp("Runtime.evaluate", &json!({"expression": script, "returnByValue": true}));
        }
        let run = "axe.run(document, {resultTypes: ['violations'], preload: false}).then((found) => found.violations\
            .filter((one) => one.impact === 'serious' || one.impact === 'critical')\
            .map((one) => `${one.impact} ${one.id}: ${one.help}\\n` + one.nodes.slice(0, 4).map((node) =>\
                `  ${node.html.slice(0, 200)}\\n    ${node.failureSummary.replaceAll('\\n', '\\n    ')}`).join('\\n')))";
        let ran = self.cdp(
            "Runtime.evaluate",
            &json!({"expression": run, "awaitPromise": true, "returnByValue": true}),
        );
        let Some(found) = ran["result"]["value"].as_array() else { panic!("axe-core did not run: {ran}") };
        found.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// How heavy the page is and when it was first seen: into `target/pages.txt`, a line a page.
    #[track_caller]
    fn weigh(&self, name: &str) {
        let script = "return performance.getEntriesByType('paint').find((one) => one.name === 'first-paint')?.startTime ?? null";
        let paint = self.wait("the first paint", || self.run(script, &[]).as_f64());
        self.read_log();
        let bytes = self.log.borrow().bytes;
        assert!(bytes > 0.0, "{name} weighs nothing");
        assert!(bytes <= BYTES_MAX, "{name} weighs {bytes} bytes");
        let line = format!("{name:<28} {:>7.1} KB {paint:>6.0} ms\n", bytes / 1000.0);
        print!("{line}");
        let table = std::fs::OpenOptions::new().create(true).append(true).open(target("pages.txt"));
        table.unwrap().write_all(line.as_bytes()).unwrap();
    }
}
