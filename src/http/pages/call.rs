//! A page's request: its form, its cookies, whose browser it is; and how a step goes to the writer.

use crate::http::api::Shared;
use crate::http::auth;
use crate::http::message::{Method, Request};
use crate::http::problem::{Code, Problem};
use crate::till::command::{Command, Outcome};
use crate::till::refusal::Refusal;
use crate::till::text::contains_card_number;
use std::net::IpAddr;
use std::sync::Arc;

/// The largest form.
const FORM_BYTES_MAX: usize = 16 * 1024;

/// A request for a page.
pub struct PageCall {
    /// As it came.
    pub request: Request,
    /// The path's parameters.
    pub params: Vec<String>,
    /// What a form sent, or what stands behind the `?`.
    pub fields: Vec<(String, String)>,
    /// Who asks, as far as anybody can tell.
    pub client: IpAddr,
}

impl PageCall {
    /// Reads a request: its form, or its query.
    pub fn new(shared: &Shared, request: Request, params: Vec<String>) -> Result<Self, Problem> {
        let fields = if request.method == Method::Post {
            own_form(shared, &request)?;
            form(&request)?
        } else {
            form_urlencoded::parse(request.query.as_bytes()).into_owned().collect()
        };
        let client = auth::client_address(&request, shared.trusted_proxies());
        Ok(Self { request, params, fields, client })
    }

    /// The path's parameter at `index`.
    pub fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// A field, without the space around it; empty where it was not sent.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// A field that holds something.
    pub fn optional(&self, name: &str) -> Option<String> {
        Some(self.field(name)).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// A cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let headers = self.request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case("cookie"));
        let mut pairs =
            headers.flat_map(|(_, value)| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Field errors where something looks like a card number: such a thing is never kept.
    pub fn card_numbers(&self) -> Vec<(String, String)> {
        let bad = self.fields.iter().filter(|(_, value)| contains_card_number(value));
        bad.map(|(name, _)| (name.clone(), "looks like a card number; never type one here".to_owned()))
            .collect()
    }
}

/// Has the writer carry out a command and waits for its commit.
pub fn carry_out(shared: &Arc<Shared>, command: Command) -> Result<Result<Outcome, Refusal>, Problem> {
    shared.handle.call(command).map_err(Problem::from)
}

/// The same, where a refusal is an error of the page.
pub fn must_carry_out(shared: &Arc<Shared>, command: Command) -> Result<Outcome, Problem> {
    carry_out(shared, command)?.map_err(Problem::from)
}

/// A form is taken from our own pages only: browsers say where one comes from.
fn own_form(shared: &Shared, request: &Request) -> Result<(), Problem> {
    let refuse = || Problem::new(Code::Forbidden, "This form was sent from another site.");
    match request.header("sec-fetch-site") {
        Some("same-origin" | "none") => return Ok(()),
        Some(_) => return Err(refuse()),
        None => {}
    }
    let Some(origin) = request.header("origin") else { return Ok(()) };
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    let own = request.header("host").is_some_and(|own| own == host);
    if own || shared.base_url() == origin { Ok(()) } else { Err(refuse()) }
}

fn form(request: &Request) -> Result<Vec<(String, String)>, Problem> {
    if request.body.len() > FORM_BYTES_MAX {
        return Err(Problem::new(Code::BodyTooLarge, "That is more than this form takes."));
    }
    let kind = request.header("content-type").unwrap_or("application/x-www-form-urlencoded");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Problem::new(Code::UnsupportedMediaType, "This page takes its own form only."));
    }
    Ok(form_urlencoded::parse(&request.body).into_owned().collect())
}
