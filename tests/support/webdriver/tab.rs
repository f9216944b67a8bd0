//! What a person does with a page: look, click, type, wait.

use super::driver::Browser;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);
/// The key under which an element is handed over.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys that are no letters, for [`Browser::keys`].
pub struct Keys;

impl Keys {
    pub const TAB: &str = "\u{e004}";
    pub const ENTER: &str = "\u{e007}";
    pub const ESCAPE: &str = "\u{e00c}";
    pub const SPACE: &str = " ";
    pub const LEFT: &str = "\u{e012}";
    pub const UP: &str = "\u{e013}";
    pub const RIGHT: &str = "\u{e014}";
    pub const DOWN: &str = "\u{e015}";
    pub const HOME: &str = "\u{e011}";
    pub const END: &str = "\u{e010}";
    pub const SHIFT: &str = "\u{e008}";
    pub const CONTROL: &str = "\u{e009}";
}

/// What may have a role.
fn candidates(role: &str) -> &'static str {
    match role {
        "button" => "button, summary, input[type=submit], [role=button]",
        "link" => "a[href]",
        "heading" => "h1, h2, h3, h4",
        "field" => "input:not([type=hidden]), select, textarea",
        "tab" => "[role=tab]",
        "row" => "tr",
        other => panic!("no candidates for {other:?}"),
    }
}

/// Something on a page.
pub struct Element<'a> {
    browser: &'a Browser,
    id: String,
}

impl Browser {
    /// Opens an address; its origin is where the till is.
    #[track_caller]
    pub fn open(&self, url: &str) {
        let origin: String = url.split('/').take(3).collect::<Vec<_>>().join("/");
        self.log.borrow_mut().origin.get_or_insert(format!("{origin}/"));
        self.command("POST", "/url", &json!({"url": url}));
    }

    /// The same again.
    #[track_caller]
    pub fn reload(&self) {
        self.command("POST", "/refresh", &json!({}));
    }

    #[track_caller]
    pub fn back(&self) {
        self.command("POST", "/back", &json!({}));
    }

    #[track_caller]
    pub fn url(&self) -> String {
        self.command("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn title(&self) -> String {
        self.command("GET", "/title", &Value::Null).as_str().unwrap().to_owned()
    }

    /// What a script's body returns; `arguments` are its own.
    #[track_caller]
    pub fn run(&self, body: &str, arguments: &[Value]) -> Value {
        self.command("POST", "/execute/sync", &json!({"script": body, "args": arguments}))
    }

    /// What the page says, as far as it can be seen.
    pub fn text(&self) -> String {
        let body = json!({"script": "return document.body ? document.body.innerText : ''", "args": []});
        let text = self.ask("POST", "/execute/sync", &body).unwrap_or_default();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Fails, with what is on the page and a picture of it.
    #[track_caller]
    pub fn fail(&self, why: &str) -> ! {
        let number = self.failures.replace(self.failures.get() + 1);
        let name = format!("failed-{}-{number}", std::process::id());
        let there = |path: &str| self.ask("GET", path, &Value::Null).unwrap_or_default();
        let (url, title) = (there("/url"), there("/title"));
        let picture = self.try_screenshot(&name).unwrap_or_default();
        panic!(
            "{why}\nat {url} {title}\n{}\n{}\npicture: {picture}",
            self.text(),
            self.complaints().join("\n")
        );
    }

    /// Waits until `done` gives something.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, mut done: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = done() {
                return found;
            }
            if Instant::now() > deadline {
                self.fail(&format!("never came: {what}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the page says this.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        self.wait(words, || self.text().contains(words).then_some(()));
        self
    }

    /// Waits until the page does not say this any more.
    #[track_caller]
    pub fn says_no_more(&self, words: &str) -> &Self {
        self.wait(&format!("an end of {words}"), || (!self.text().contains(words)).then_some(()));
        self
    }

    /// All that a selector finds now.
    pub fn all(&self, css: &str) -> Vec<Element<'_>> {
        let found = self.ask("POST", "/elements", &json!({"using": "css selector", "value": css}));
        let found = found.unwrap_or_default();
        let ids = found.as_array().into_iter().flatten().filter_map(|one| one[ELEMENT].as_str());
        ids.map(|id| Element { browser: self, id: id.to_owned() }).collect()
    }

    /// The first that a selector finds, once there is one.
    #[track_caller]
    pub fn one(&self, css: &str) -> Element<'_> {
        self.wait(css, || self.all(css).into_iter().next())
    }

    /// The first of a role (`button`, `link`, `heading`, `field`, `tab`, `row`) whose accessible name is this one, or
    /// else begins with it: what a screen reader would say.
    #[track_caller]
    pub fn named(&self, role: &str, name: &str) -> Element<'_> {
        self.wait(&format!("the {role} {name:?}"), || self.find_named(role, name))
    }

    /// The same, if it is there now.
    pub fn find_named(&self, role: &str, name: &str) -> Option<Element<'_>> {
        let mut begins = None;
        for one in self.all(candidates(role)) {
            let label = one.try_get("/computedlabel").unwrap_or_default();
            if label == name {
                return Some(one);
            }
            if begins.is_none() && label.starts_with(name) {
                begins = Some(one);
            }
        }
        begins
    }

    /// Clicks on the button of this name.
    #[track_caller]
    pub fn press(&self, name: &str) {
        self.act(name, || self.find_named("button", name)?.try_click());
    }

    /// Follows the link of this name.
    #[track_caller]
    pub fn follow(&self, name: &str) {
        self.act(name, || self.find_named("link", name)?.try_click());
    }

    /// Puts a text in the place of what is in the field of this label.
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) {
        self.act(label, || self.find_named("field", label)?.try_fill(text));
    }

    /// Chooses in the list of this label.
    #[track_caller]
    pub fn choose(&self, label: &str, option: &str) {
        let script = "const [list, text] = arguments;\
            const found = [...list.options].find((one) => one.text === text || one.value === text);\
            if (!found) return false; list.value = found.value;\
            list.dispatchEvent(new Event('input', {bubbles: true}));\
            list.dispatchEvent(new Event('change', {bubbles: true})); return true";
        self.act(option, || {
            let list = self.find_named("field", label)?;
            let chosen = json!({"script": script, "args": [{ELEMENT: list.id}, option]});
            (self.ask("POST", "/execute/sync", &chosen).ok()? == true).then_some(())
        });
    }

    /// Does something as soon as it can be done: pages are redrawn at any time.
    #[track_caller]
    fn act(&self, what: &str, deed: impl FnMut() -> Option<()>) {
        self.wait(what, deed);
    }

    /// Real key events, for whatever has the focus.
    #[track_caller]
    pub fn keys(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| {
            [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
        });
        self.strokes(&strokes.collect::<Vec<_>>());
    }

    /// One key while another is held, as in Shift and Tab.
    #[track_caller]
    pub fn chord(&self, held: &str, key: &str) {
        self.strokes(&[
            json!({"type": "keyDown", "value": held}),
            json!({"type": "keyDown", "value": key}),
            json!({"type": "keyUp", "value": key}),
            json!({"type": "keyUp", "value": held}),
        ]);
    }

    #[track_caller]
    fn strokes(&self, strokes: &[Value]) {
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]});
        self.command("POST", "/actions", &actions);
    }

    /// Presses Tab until what has the focus is called this, as somebody without a mouse does.
    #[track_caller]
    pub fn tab_to(&self, name: &str) {
        for _ in 0..100 {
            let focused = self.focused();
            if focused == name || focused.starts_with(&format!("{name} ")) {
                return;
            }
            self.keys(Keys::TAB);
        }
        self.fail(&format!("no way by Tab to {name:?}"));
    }

    /// The accessible name of what has the focus.
    pub fn focused(&self) -> String {
        let active = self.ask("GET", "/element/active", &Value::Null).unwrap_or_default();
        let Some(id) = active[ELEMENT].as_str() else { return String::new() };
        Element { browser: self, id: id.to_owned() }.try_get("/computedlabel").unwrap_or_default()
    }

    /// A new tab, in front.
    #[track_caller]
    pub fn new_tab(&self) {
        let made = self.command("POST", "/window/new", &json!({"type": "tab"}));
        self.command("POST", "/window", &json!({"handle": made["handle"]}));
        self.set_up();
    }

    /// Brings the tab of this number to the front.
    #[track_caller]
    pub fn tab(&self, number: usize) {
        self.command("POST", "/window", &json!({"handle": self.windows()[number]}));
    }

    #[track_caller]
    pub(super) fn windows(&self) -> Vec<String> {
        let handles = self.command("GET", "/window/handles", &Value::Null);
        handles.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    /// How wide the window is, and so how high.
    #[track_caller]
    pub fn width(&self, width: u32) {
        let height = match width {
            0..=320 => 700,
            321..=500 => 844,
            _ => 900,
        };
        self.width.set(width);
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.cdp("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Whether its person likes it dark; nothing moves either way.
    #[track_caller]
    pub fn dark(&self, dark: bool) {
        let scheme = json!({"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }});
        let still = json!({"name": "prefers-reduced-motion", "value": "reduce"});
        self.cdp("Emulation.setEmulatedMedia", &json!({"features": [scheme, still]}));
    }

    /// Whether the network is away.
    #[track_caller]
    pub fn offline(&self, offline: bool) {
        let network =
            json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.cdp("Network.emulateNetworkConditions", &network);
    }

    /// Whether pages may run scripts.
    #[track_caller]
    pub fn scripts(&self, run: bool) {
        self.cdp("Emulation.setScriptExecutionDisabled", &json!({"value": !run}));
    }
}

impl Element<'_> {
    fn try_get(&self, what: &str) -> Option<String> {
        let path = format!("/element/{}{what}", self.id);
        Some(self.browser.ask("GET", &path, &Value::Null).ok()?.as_str()?.to_owned())
    }

    fn try_click(&self) -> Option<()> {
        self.browser.ask("POST", &format!("/element/{}/click", self.id), &json!({})).ok().map(|_| ())
    }

    fn try_fill(&self, text: &str) -> Option<()> {
        self.browser.ask("POST", &format!("/element/{}/clear", self.id), &json!({})).ok()?;
        let typed = json!({"text": text});
        self.browser.ask("POST", &format!("/element/{}/value", self.id), &typed).ok().map(|_| ())
    }

    #[track_caller]
    fn must<T>(&self, found: Option<T>) -> T {
        found.unwrap_or_else(|| self.browser.fail("what was there is there no more, or hidden"))
    }

    #[track_caller]
    pub fn click(&self) {
        self.must(self.try_click());
    }

    /// Puts a text in the place of what is in it.
    #[track_caller]
    pub fn fill(&self, text: &str) {
        self.must(self.try_fill(text));
    }

    /// Its text, as far as it can be seen.
    #[track_caller]
    pub fn text(&self) -> String {
        self.must(self.try_get("/text"))
    }

    /// What a screen reader calls it.
    #[track_caller]
    pub fn name(&self) -> String {
        self.must(self.try_get("/computedlabel"))
    }

    pub fn attribute(&self, name: &str) -> Option<String> {
        self.try_get(&format!("/attribute/{name}"))
    }

    /// A property, as text.
    pub fn property(&self, name: &str) -> String {
        let path = format!("/element/{}/property/{name}", self.id);
        match self.browser.ask("GET", &path, &Value::Null).unwrap_or_default() {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    pub fn is_shown(&self) -> bool {
        self.browser.ask("GET", &format!("/element/{}/displayed", self.id), &Value::Null) == Ok(json!(true))
    }

    /// For an argument of [`Browser::run`].
    pub fn value(&self) -> Value {
        json!({ELEMENT: self.id})
    }
}
