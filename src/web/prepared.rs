//! Where a network has a post prepared: its own page with a text in it, which only has to be sent.

/// The address of that page, where the network has one. `server`: whose, on a network of many.
pub fn at(slug: &str, server: Option<&str>, text: &str) -> Option<String> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("text", text).finish();
    Some(match (slug, server) {
        ("x", _) => format!("https://x.com/intent/post?{query}"),
        ("bluesky", _) => format!("https://bsky.app/intent/compose?{query}"),
        ("mastodon", Some(server)) => format!("https://{server}/share?{query}"),
        _ => return None,
    })
}

/// The server in a handle, where there is one and it could be one.
pub fn server_of(handle: &str) -> Option<&str> {
    let (_, server) = handle.trim_start_matches('@').split_once('@')?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    Some(server).filter(|server| server.contains('.') && server.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_prepared_where_its_network_can() {
        let on = |slug, server| at(slug, server, "@shop #ConfirmÄ&B");
        let text = "text=%40shop+%23Confirm%C3%84%26B";
        assert_eq!(on("x", None), Some(format!("https://x.com/intent/post?{text}")));
        assert_eq!(on("bluesky", None), Some(format!("https://bsky.app/intent/compose?{text}")));
        assert_eq!(
            on("mastodon", Some("social.example")),
            Some(format!("https://social.example/share?{text}"))
        );
        assert_eq!((on("mastodon", None), on("sandbox", None)), (None, None));
    }

    #[test]
    fn only_a_server_is_a_server() {
        assert_eq!(server_of("@ada@social.example"), Some("social.example"));
        for handle in ["ada", "@ada", "ada@localhost", "ada@evil.example/x?", "ada@a.example:8@b"] {
            assert_eq!(server_of(handle), None, "{handle}");
        }
    }
}
