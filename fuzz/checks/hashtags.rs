//! Hashtags, folding, counting and card numbers: whatever a stranger typed.

use tagtill::till::hashtag::check_form;
use tagtill::till::text::{
    Counting, check_plain, contains_card_number, fold, hashtags as find, length, mask_card_numbers,
    single_script, skeleton,
};

/// The input is a text.
pub fn hashtags(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let mut from = 0;
    for tag in find(text) {
        assert!(!tag.is_empty());
        // In order, each a piece of the text between two characters, right behind its sign.
        let start = tag.as_ptr() as usize - text.as_ptr() as usize;
        assert!(start >= from, "tags come in order and do not overlap");
        from = start + tag.len();
        assert_eq!(text.get(start..from), Some(tag));
        assert!(text[..start].ends_with(['#', '＃']));
        let folded = fold(tag);
        assert_eq!(fold(&folded), folded, "folding twice is folding once");
        assert_eq!(fold(&tag.to_uppercase()), fold(&tag.to_uppercase().to_lowercase()));
        let look = skeleton(&folded);
        assert_eq!(skeleton(&fold(&look)), look, "what looks like {tag} looks like itself");
        let _ = single_script(tag);
        if check_form("hashtag", tag).is_ok() {
            assert_eq!(find(&format!("#{tag}")), [tag]);
            assert_eq!(
                find(&format!("#{folded}")),
                [folded.as_str()],
                "a tag that may be taken can be found"
            );
        }
    }
    for counting in [Counting::X, Counting::Graphemes, Counting::Characters] {
        let whole = length(text, counting);
        assert_eq!(whole == 0, text.is_empty(), "{counting:?}");
        // X counts an address of four characters as 23; nothing else counts more than it has bytes, twice.
        assert!(whole <= text.len() * 23);
    }
    let masked = mask_card_numbers(text);
    assert!(!contains_card_number(&masked));
    assert_eq!(masked != text, contains_card_number(text));
    assert_eq!(masked.chars().count(), text.chars().count());
    if check_plain(text).is_ok() {
        assert!(find(text).is_empty(), "a title holds no hashtag");
    }
}
