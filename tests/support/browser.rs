//! A browser of sorts: follows redirects, keeps cookies, fills forms. It runs no scripts; neither do the pages.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::cell::RefCell;
use std::collections::BTreeMap;

/// One person's browser.
pub struct Browser {
    agent: ureq::Agent,
    base: String,
    cookies: RefCell<BTreeMap<String, String>>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
}

/// A page as it came.
#[derive(Debug, Clone)]
pub struct Page {
    pub status: u16,
    /// Its whole address, after redirects.
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Fails where the page does not say this.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(
            self.text.contains(words),
            "{} {} does not say {words:?}:\n{}",
            self.status,
            self.url,
            self.text
        );
        self
    }

    /// The hashtag that is to be posted.
    #[track_caller]
    pub fn code(&self) -> String {
        let code = self.text.split("class=\"code\">").nth(1).and_then(|rest| rest.split('<').next());
        code.unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }

    pub fn path(&self) -> String {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.find('/').map_or("/", |at| &rest[at..]).to_owned()
    }

    /// Where a link or a form with these words on it leads.
    #[track_caller]
    pub fn link(&self, label: &str) -> String {
        let before = self.text.split(&format!(">{label}")).next().unwrap_or_default();
        let href = before.rsplit("href=\"").next().and_then(|rest| rest.split('"').next());
        href.unwrap_or_else(|| panic!("no link {label:?} in {}", self.text)).replace("&amp;", "&")
    }
}

impl Browser {
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        Self { agent: config.into(), base: base.to_owned(), cookies: RefCell::default(), headers: Vec::new() }
    }

    pub fn get(&self, path: &str) -> Page {
        self.follow("GET", &self.absolute(path), None)
    }

    /// Sends a form.
    pub fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.follow("POST", &self.absolute(path), Some(form))
    }

    /// One request, no redirect followed.
    pub fn once(&self, method: &str, path: &str, form: Option<String>) -> Page {
        self.request(method, &self.absolute(path), form)
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    fn absolute(&self, path: &str) -> String {
        if path.contains("://") { path.to_owned() } else { format!("{}{path}", self.base) }
    }

    fn follow(&self, method: &str, url: &str, form: Option<String>) -> Page {
        let mut page = self.request(method, url, form);
        for _ in 0..10 {
            if !matches!(page.status, 302 | 303) {
                return page;
            }
            let to = page.header("location").to_owned();
            let origin: String = page.url.split('/').take(3).collect::<Vec<_>>().join("/");
            let to = if to.contains("://") { to } else { format!("{origin}{to}") };
            page = self.request("GET", &to, None);
        }
        panic!("redirects without end: {}", page.url);
    }

    fn request(&self, method: &str, url: &str, form: Option<String>) -> Page {
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        // Cookies know no ports: whoever shares the host sees them all.
        let cookies: Vec<_> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("Cookie", cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if form.is_some() {
            request = request.header("Content-Type", "application/x-www-form-urlencoded");
        }
        let mut response = self.agent.run(request.body(form.unwrap_or_default()).unwrap()).unwrap();
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            if let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().unwrap();
        Page { status, url: url.to_owned(), headers, text }
    }
}

/// An address as its form takes it.
pub const ADDRESS: &[(&str, &str)] = &[
    ("country", "US"),
    ("name", "Ada Byrne"),
    ("line1", "1 Elm Street"),
    ("line2", ""),
    ("city", "Springfield"),
    ("region", "IL"),
    ("postal_code", "62701"),
    ("email", "ada@example.com"),
];
