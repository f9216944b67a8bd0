//! OAuth 1.0a: signing requests on behalf of our account (RFC 5849, HMAC-SHA1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use std::fmt::{self, Write as _};

/// What is not encoded: letters, digits and these (RFC 3986, "unreserved").
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as it stands in a query.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Names and values as a query.
pub fn query(parameters: &[(&str, &str)]) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The four secrets of an app and of an account that lets it post.
#[derive(Clone)]
pub struct Keys {
    /// The app's API key.
    pub api_key: String,
    /// The app's API key secret, also called consumer secret.
    pub api_key_secret: String,
    /// The account's access token.
    pub access_token: String,
    /// The account's access token secret.
    pub access_token_secret: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    /// The `Authorization` header of a request now. `parameters` are those of the query and of a form; a body of JSON
    /// is not signed.
    ///
    /// # Errors
    /// Where this machine gives no random numbers.
    pub fn authorization(
        &self,
        method: &str,
        url: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, String> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let nonce = random.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let seconds = crate::bridges::now().ms() / 1000;
        Ok(self.header(method, url, parameters, &nonce, seconds))
    }

    fn header(
        &self,
        method: &str,
        url: &str,
        parameters: &[(&str, &str)],
        nonce: &str,
        seconds: i64,
    ) -> String {
        let seconds = seconds.to_string();
        let mut own = vec![
            ("oauth_consumer_key", self.api_key.as_str()),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &seconds),
            ("oauth_token", &self.access_token),
            ("oauth_version", "1.0"),
        ];
        let signature = self.signature(method, url, &[parameters, &own].concat());
        own.push(("oauth_signature", &signature));
        let pairs = own.iter().map(|(name, value)| format!("{name}=\"{}\"", encode(value)));
        format!("OAuth {}", pairs.collect::<Vec<_>>().join(", "))
    }

    fn signature(&self, method: &str, url: &str, parameters: &[(&str, &str)]) -> String {
        let mut pairs: Vec<(String, String)> =
            parameters.iter().map(|(name, value)| (encode(name), encode(value))).collect();
        pairs.sort();
        let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let base = format!("{method}&{}&{}", encode(url), encode(&pairs.join("&")));
        let key = format!("{}&{}", encode(&self.api_key_secret), encode(&self.access_token_secret));
        // HMAC takes keys of every length.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else { return String::new() };
        mac.update(base.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of the worked example in X's documentation ("Creating a signature").
    fn keys() -> Keys {
        Keys {
            api_key: "xvz1evFS4wEEPTGEFPHBog".to_owned(),
            api_key_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw".to_owned(),
            access_token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb".to_owned(),
            access_token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE".to_owned(),
        }
    }

    #[test]
    fn the_documented_example_is_signed_as_documented() {
        let parameters =
            [("include_entities", "true"), ("status", "Hello Ladies + Gentlemen, a signed OAuth request!")];
        let nonce = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg";
        let sign = |url| keys().header("POST", url, &parameters, nonce, 1_318_622_958);
        let header = sign("https://api.x.com/1.1/statuses/update.json");
        assert!(header.contains("oauth_signature=\"Ls93hJiZbQ3akF3HF3x1Bz8%2FzU4%3D\""), "{header}");
        assert!(header.starts_with("OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", "), "{header}");
        // The same example under the address that the documentation had before.
        let header = sign("https://api.twitter.com/1.1/statuses/update.json");
        assert!(header.contains("oauth_signature=\"hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D\""), "{header}");
    }

    #[test]
    fn two_requests_never_look_alike() {
        let header = || keys().authorization("GET", "https://api.x.com/2/users/me", &[]).unwrap();
        assert_ne!(header(), header());
    }

    #[test]
    fn what_is_printed_holds_no_secret() {
        assert_eq!(format!("{:?}", keys()), "Keys { .. }");
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(query(&[("a", "b c,d"), ("e", "ü~")]), "a=b%20c%2Cd&e=%C3%BC~");
    }
}
