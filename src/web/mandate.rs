//! What a buyer agrees to before their card is stored: the texts, by version. A text never changes once it was shown;
//! another text is another version, and what somebody agreed to can be read again for good.

/// The version that is shown now.
pub const CURRENT: u32 = 1;

/// The text of a version, one paragraph an item.
pub fn text(version: u32) -> Option<&'static [&'static str]> {
    match version {
        1 => Some(&[
            "I allow the shops that sell through this till to charge the card that I store in the next step, each time \
             I confirm a purchase with a post, or a repost of the till's reply, from an account that I link here.",
            "What is charged is the price that the till's reply named, with tax and shipping in it, once a purchase. \
             Nothing is charged for a post that I do not confirm.",
            "I can take this back at any time by unlinking; what I had confirmed before stays ordered. My rights \
             against the shop and my bank, to withdraw or to dispute a charge, are not touched.",
        ]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn a_text_that_was_shown_never_changes() {
        let hash = |version| {
            let digest = Sha256::digest(text(version).unwrap().join("\n"));
            digest.iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte))
        };
        let shown: [u64; CURRENT as usize] = [7_635_954_713_738_722_548];
        assert_eq!((1..=CURRENT).map(hash).collect::<Vec<_>>(), shown);
        assert!(text(0).is_none() && text(CURRENT + 1).is_none());
    }
}
