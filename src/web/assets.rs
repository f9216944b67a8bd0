//! What the pages with scripts are made of: styles, scripts, pictures, as they lie in `assets/`, within the binary.
//!
//! A page names them under a folder that is called by a hash of them all, so that a browser may keep each for good.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::sync::LazyLock;

/// One file.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Its name, without a folder.
    pub name: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    /// What is in it. A debug build reads the file that it was built from, where that is still there, so that a page
    /// can be worked on without building.
    pub fn bytes(&self) -> Cow<'static, [u8]> {
        #[cfg(debug_assertions)]
        if let Ok(bytes) =
            std::fs::read(format!("{}/src/web/assets/{}", env!("CARGO_MANIFEST_DIR"), self.name))
        {
            return Cow::Owned(bytes);
        }
        Cow::Borrowed(self.bytes)
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

macro_rules! assets {
    ($($name:literal: $kind:expr,)*) => {
        &[$(Asset { name: $name, content_type: $kind, bytes: include_bytes!(concat!("assets/", $name)) },)*]
    };
}

/// Every file there is, by name.
pub const ALL: &[Asset] = assets! {
    "account.js": SCRIPT,
    "accounts.js": SCRIPT,
    "api.js": SCRIPT,
    "backups.js": SCRIPT,
    "base.css": STYLE,
    "bridges.js": SCRIPT,
    "buyer.js": SCRIPT,
    "charts.css": STYLE,
    "charts.js": SCRIPT,
    "console.css": STYLE,
    "console.js": SCRIPT,
    "desk.css": STYLE,
    "desk.js": SCRIPT,
    "dom.js": SCRIPT,
    "endpoint.js": SCRIPT,
    "format.js": SCRIPT,
    "icon.svg": PICTURE,
    "limits.js": SCRIPT,
    "list.css": STYLE,
    "list.js": SCRIPT,
    "live.js": SCRIPT,
    "log.js": SCRIPT,
    "merchants.js": SCRIPT,
    "now-charts.js": SCRIPT,
    "now-lists.js": SCRIPT,
    "now.css": STYLE,
    "now.js": SCRIPT,
    "offer-form.js": SCRIPT,
    "offer-lists.js": SCRIPT,
    "offer-preview.js": SCRIPT,
    "offer.js": SCRIPT,
    "offers.js": SCRIPT,
    "order.js": SCRIPT,
    "orders.js": SCRIPT,
    "parts.js": SCRIPT,
    "playground-bits.js": SCRIPT,
    "playground-feed.js": SCRIPT,
    "playground-side.js": SCRIPT,
    "playground.css": STYLE,
    "playground.js": SCRIPT,
    "purchase.js": SCRIPT,
    "purchases.js": SCRIPT,
    "rehearsal-result.js": SCRIPT,
    "rehearsal.css": STYLE,
    "rehearsal.js": SCRIPT,
    "sandbox.js": SCRIPT,
    "shipping.js": SCRIPT,
    "slips.js": SCRIPT,
    "story.js": SCRIPT,
    "tokens.js": SCRIPT,
    "webhooks.js": SCRIPT,
};

/// The file of this name.
pub fn find(name: &str) -> Option<&'static Asset> {
    ALL.iter().find(|asset| asset.name == name)
}

/// Whether buyers' pages are made of it, too.
pub fn is_for_buyers(name: &str) -> bool {
    matches!(name, "buyer.js" | "icon.svg")
}

/// What all files together are called.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for asset in ALL {
            hash.update(asset.name);
            hash.update(asset.bytes);
        }
        URL_SAFE_NO_PAD.encode(hash.finalize().get(..9).unwrap_or_default())
    });
    &VERSION
}

/// Where a page finds the file of this name.
pub fn path(name: &str) -> String {
    format!("/assets/{}/{name}", version())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_in_the_binary() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/assets");
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ALL.iter().map(|asset| asset.name).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_asked_of_anybody_else() {
        for asset in ALL {
            let text = String::from_utf8_lossy(asset.bytes).replace("http://www.w3.org/", "");
            for word in ["http://", "https://", "innerHTML", "eval("] {
                assert!(!text.contains(word), "{} says {word}", asset.name);
            }
        }
    }
}
