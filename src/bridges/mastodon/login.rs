//! Getting a token: an application is made known to the server, its owner allows it in a browser, and the code that
//! they get becomes a token.

use super::api::{Api, encoded};
use super::check::SCOPES;
use super::status::text;
use crate::bridges::{Kind, Trouble};
use serde_json::Value;

/// Where the code is shown to people instead of being sent on.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
const NAME: &str = "tagtill";

/// An application that a server knows.
pub struct App {
    api: Api,
    id: String,
    secret: String,
}

impl App {
    /// Makes an application known to the server at `base`, an address as [`crate::bridges::check_base`] gives it.
    pub fn register(base: &str) -> Result<Self, Trouble> {
        let api = Api::new(base.to_owned(), String::new());
        let scopes = SCOPES.join(" ");
        let fields = [("client_name", NAME), ("redirect_uris", OUT_OF_BAND), ("scopes", scopes.as_str())];
        let said = api.form("/api/v1/apps", &fields)?;
        let of = |path| text(&said, path).map(str::to_owned);
        match (of("/client_id"), of("/client_secret")) {
            (Some(id), Some(secret)) => Ok(Self { api, id, secret }),
            _ => Err(Trouble::protocol("the server made no application: has it Mastodon's API?")),
        }
    }

    /// Where the account's owner allows it.
    pub fn address(&self) -> String {
        format!(
            "{}/oauth/authorize?response_type=code&client_id={}&redirect_uri={}&scope={}",
            self.api.base(),
            encoded(&self.id),
            encoded(OUT_OF_BAND),
            encoded(&SCOPES.join(" ")),
        )
    }

    /// The token for a code.
    pub fn token(&self, code: &str) -> Result<String, Trouble> {
        let scopes = SCOPES.join(" ");
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", self.id.as_str()),
            ("client_secret", self.secret.as_str()),
            ("redirect_uri", OUT_OF_BAND),
            ("scope", scopes.as_str()),
            ("code", code.trim()),
        ];
        let said = self.api.form("/oauth/token", &fields).map_err(|trouble| match trouble.kind {
            Kind::Refused | Kind::Credentials => {
                Trouble::refused("the server does not take the code: it is good once, and for some minutes")
            }
            _ => trouble,
        })?;
        text(&said, "/access_token")
            .map(str::to_owned)
            .ok_or_else(|| Trouble::protocol("the server gave no token for the code"))
    }
}

/// The id and handle of the account that a token is for.
pub fn account_of(base: &str, token: &str) -> Result<(String, String), Trouble> {
    let account: Value =
        Api::new(base.to_owned(), token.to_owned()).get("/api/v1/accounts/verify_credentials")?;
    let of = |path| text(&account, path).map(str::to_owned);
    of("/id").zip(of("/acct")).ok_or_else(|| Trouble::protocol("the server does not say whose token it is"))
}
