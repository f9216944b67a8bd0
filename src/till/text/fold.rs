//! Forms of a tag that compare equal: regardless of case (`fold`) and for the eye (`skeleton`), and the check that a tag
//! keeps to one script. Which tags exist, and which of two equal ones wins, is decided elsewhere.

use icu_casemap::CaseMapper;
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use unicode_script::UnicodeScript;
use unicode_security::mixed_script::{AugmentedScriptSet, MixedScript};

/// The form in which tags are compared: NFKC, full case folding and NFKC again, until nothing changes.
///
/// This is the compatibility caseless matching of the Unicode Standard (3.13, D146), so `ＢＵＹ`, `buy` and `Buy` are
/// one, and so are `STRASSE` and `straße`. No language's own rules apply: `I` becomes `i` in Turkish, too.
///
/// ```
/// use tagtill::till::text::fold;
///
/// assert_eq!(fold("BuyTea"), "buytea");
/// assert_eq!(fold("Straße"), fold("STRASSE"));
/// ```
pub fn fold(tag: &str) -> String {
    if tag.is_ascii() {
        return tag.to_ascii_lowercase();
    }
    let mapper = CaseMapper::new();
    // A trailing emoji-style selector is part of a tag to twitter-text, but nothing that a person typed.
    let mut folded: String = tag.nfkc().filter(|c| !('\u{FE00}'..='\u{FE0F}').contains(c)).collect();
    // Twice is enough for every character; the bound is for characters that no version of Unicode has yet.
    for _ in 0..4 {
        let next: String = mapper.fold_string(&folded).nfkc().collect();
        if next == folded {
            break;
        }
        folded = next;
    }
    folded
}

/// What `folded`, a result of [`fold`], looks like: tags with the same skeleton must not live at the same time.
///
/// It is the skeleton of UTS #39, section 4, made to fit tags that people write in any case: where a lower case letter
/// resembles no ASCII letter, its capital may (Cyrillic `В`), and `i` counts as `l` because its capital does.
///
/// ```
/// use tagtill::till::text::{fold, skeleton};
///
/// assert_eq!(skeleton(&fold("BuyIt0")), skeleton(&fold("Buy1tO")));
/// assert_ne!(skeleton(&fold("BuyTea")), skeleton(&fold("BuySea")));
/// ```
pub fn skeleton(folded: &str) -> String {
    let mut shape = folded.to_owned();
    // One look can lead to another. The tests try every character; the bound makes sure of an end.
    for _ in 0..8 {
        let seen: String = shape.nfd().map(shape_of).collect();
        let next = fold(&seen).replace(['i', 'ı'], "l");
        if next == shape {
            break;
        }
        shape = next;
    }
    shape
}

/// What a letter looks like, or its capital if only that resembles ASCII.
fn shape_of(letter: char) -> String {
    let shape = |c: char| unicode_security::skeleton(c.encode_utf8(&mut [0; 4])).collect::<String>();
    let own = shape(letter);
    let mut capitals = letter.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) if !own.is_ascii() => {
            Some(shape(capital)).filter(|shape| shape.is_ascii()).unwrap_or(own)
        }
        _ => own,
    }
}

/// A tag holds letters of two scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MixedScripts {
    /// The first letter whose script does not fit those before it.
    pub letter: char,
    /// That letter's script, as Unicode names it.
    pub script: &'static str,
}

impl fmt::Display for MixedScripts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { letter, script } = self;
        write!(f, "mixes scripts: {letter:?} (U+{:04X}) is {script}, ", u32::from(*letter))?;
        write!(f, "the letters before it are not; write the whole tag in one script")
    }
}

impl std::error::Error for MixedScripts {}

/// Whether all letters of `tag` are of one script (UTS #39, section 5.1, single-script).
///
/// Digits, signs and marks that belong to all scripts are allowed with any. Japanese writes Han, Hiragana and Katakana,
/// Korean Han and Hangul, and Chinese Han and Bopomofo.
pub fn single_script(tag: &str) -> Result<(), MixedScripts> {
    if tag.is_ascii() || tag.is_single_script() {
        return Ok(());
    }
    let mut scripts = AugmentedScriptSet::default();
    let misfit = tag.chars().find(|&c| {
        scripts.intersect_with(c.into());
        scripts.is_empty()
    });
    misfit.map_or(Ok(()), |letter| Err(MixedScripts { letter, script: letter.script().full_name() }))
}

#[cfg(test)]
mod tests {
    use super::{fold, single_script, skeleton};

    fn same_skeleton(one: &str, other: &str) -> bool {
        skeleton(&fold(one)) == skeleton(&fold(other))
    }

    #[test]
    fn case_and_width_do_not_matter() {
        for (one, other) in [
            ("BuyTea", "BUYTEA"),
            ("ＢｕｙＴｅａ", "buytea"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("straße", "STRASSE"),
            ("ﬁsh", "FISH"),
            ("cafe\u{301}", "CAFÉ"),
            ("ｶﾞﾑ", "ガム"),
            ("ЧАЙ", "чай"),
            ("𞤀𞤣", "𞤢𞤣"),
            ("Ა", "ა"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
        assert_ne!(fold("tea"), fold("teä"));
        assert_eq!(fold("I"), "i");
    }

    #[test]
    fn folding_is_stable_for_every_character_and_many_pairs() {
        let alone = ('\0'..=char::MAX).map(String::from);
        let marks =
            ['\u{345}', '\u{301}', '\u{323}', '\u{307}', '\u{1161}', '\u{11A8}', '\u{3099}', '\u{93C}'];
        let pairs = ('\0'..='\u{FFFF}').flat_map(|c| marks.map(|mark| format!("{c}{mark}")));
        let odd = [
            '\u{345}',
            'ΐ',
            'ᾳ',
            'ß',
            'İ',
            'ŉ',
            'ǰ',
            'ẖ',
            'ﬃ',
            '㍿',
            '１',
            'ﾞ',
            'Ω',
            'K',
            'ſ',
            '\u{1D15E}',
            'ﾲ',
        ];
        let triples = odd.into_iter().flat_map(|a| odd.map(|b| odd.map(|c| format!("{a}{b}{c}")))).flatten();
        for text in alone.chain(pairs).chain(triples) {
            let folded = fold(&text);
            assert_eq!(fold(&folded), folded, "{}", text.escape_unicode());
        }
    }

    #[test]
    fn skeletons_are_stable_and_blind_to_case() {
        for c in '\0'..='\u{1FFFF}' {
            let folded = fold(&c.to_string());
            let shape = skeleton(&folded);
            assert_eq!(skeleton(&shape), shape, "{}", c.escape_unicode());
        }
    }

    #[test]
    fn what_looks_alike_has_one_skeleton() {
        for (one, other) in [
            ("Bill", "BiIl"),
            ("bill", "b1ll"),
            ("BUYIT", "buylt"),
            ("Buy0", "BuyO"),
            ("buy0", "buyo"),
            ("paypal", "раураl"),
            ("BAT", "ВАТ"),
            ("Buyrn", "Buym"),
            ("KOT", "ΚΟΤ"),
            ("buy٥", "buyo"),
        ] {
            assert!(same_skeleton(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_looks_different_has_two() {
        for (one, other) in [
            ("BuyTea", "BuySea"),
            ("BuyVest", "BuyNest"),
            ("Buy1", "Buy2"),
            ("茶", "菜"),
            ("é", "e"),
            ("c", "e"),
        ] {
            assert!(!same_skeleton(one, other), "{one} {other}");
        }
    }

    #[test]
    fn one_script_at_a_time() {
        for tag in [
            "BuyTea2",
            "купить_чай",
            "お茶を買うカ",
            "茶ー",
            "한국茶",
            "茶ㄅ",
            "काफ़ी१",
            "buyé",
            "q\u{301}",
            "_1",
            "",
            "می‌خواهم",
        ] {
            assert_eq!(single_script(tag), Ok(()), "{tag}");
        }
        for (tag, letter, script) in [
            ("Buyсейчас", 'с', "Cyrillic"),
            ("раyраl", 'y', "Latin"),
            ("お茶한", '한', "Hangul"),
            ("teaお", 'お', "Hiragana"),
            ("αa", 'a', "Latin"),
        ] {
            let mixed = single_script(tag).unwrap_err();
            assert_eq!((mixed.letter, mixed.script), (letter, script), "{tag}");
        }
        let message = single_script("aб").unwrap_err().to_string();
        assert!(message.contains("'б' (U+0431) is Cyrillic") && message.contains("one script"), "{message}");
    }
}
