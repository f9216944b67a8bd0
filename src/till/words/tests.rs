use super::*;
use crate::till::money::{Currency, Money};
use crate::till::time::Time;

fn with(text: &str) -> Result<Words, String> {
    Words::load(&[("my.toml".to_owned(), text.to_owned())], "en")
}

#[test]
fn what_the_till_brings_along_can_be_read_and_fits() {
    let words = Words::load(&[], DEFAULT_LANGUAGE).unwrap();
    assert_eq!(words.all().map(Language::code).collect::<Vec<_>>(), ["en", "de", "es", "fr", "ja"]);
    assert_eq!(Words::built_in().all().count(), 5);
    for language in words.all() {
        for key in Key::ALL {
            assert!(!language.texts(*key).is_empty());
        }
    }
}

#[test]
fn every_language_says_everything_in_its_own_words() {
    let words = Words::built_in();
    for key in Key::ALL {
        let said: std::collections::BTreeSet<String> =
            words.all().filter_map(|one| one.texts(*key).first()).map(|text| text.fill(&[])).collect();
        assert_eq!(said.len(), 5, "{}", key.name());
    }
}

#[test]
fn money_days_and_spans_have_the_form_of_the_language() {
    let usd = |amount| Money { amount, currency: Currency::USD };
    let yen = Money { amount: 1_500, currency: Currency::parse("JPY").unwrap() };
    let dinar = Money { amount: 1_500, currency: Currency::parse("KWD").unwrap() };
    let day = Time::parse("2013-03-03T23:59:59Z").unwrap();
    let words = Words::built_in();
    for (code, price, small, dinars, yens, date, spans) in [
        (
            "en",
            "$1,149.99",
            "$15.00",
            "KWD\u{a0}1.500",
            "¥1,500",
            "Mar 3, 2013",
            "1 minute|15 minutes|90 seconds|2 hours",
        ),
        (
            "de",
            "1.149,99\u{a0}$",
            "15,00\u{a0}$",
            "1,500\u{a0}KWD",
            "1.500\u{a0}¥",
            "03.03.2013",
            "1 Minute|15 Minuten|90 Sekunden|2 Stunden",
        ),
        (
            "es",
            "1149,99\u{a0}US$",
            "15,00\u{a0}US$",
            "1,500\u{a0}KWD",
            "1500\u{a0}JPY",
            "3 mar 2013",
            "1 minuto|15 minutos|90 segundos|2 horas",
        ),
        (
            "fr",
            "1\u{202f}149,99\u{a0}$US",
            "15,00\u{a0}$US",
            "1,500\u{a0}KWD",
            "1\u{202f}500\u{a0}JPY",
            "3 mars 2013",
            "1 minute|15 minutes|90 secondes|2 heures",
        ),
        ("ja", "$1,149.99", "$15.00", "1.500\u{a0}KWD", "1,500円", "2013/03/03", "1分|15分|90秒|2時間"),
    ] {
        let language = words.find(code).unwrap();
        assert_eq!(language.money(usd(114_999)), price);
        assert_eq!(language.money(usd(1_500)), small);
        assert_eq!(language.money(dinar), dinars);
        assert_eq!(language.money(yen), yens);
        assert_eq!(language.day(day), date);
        let said: Vec<_> = [60, 900, 90, 7200].into_iter().map(|seconds| language.span(seconds)).collect();
        assert_eq!(said.join("|"), spans);
    }
}

#[test]
fn the_language_of_a_post_is_its_first_part() {
    for (tag, wanted) in [
        ("de", Some("de")),
        ("pt-BR", Some("pt")),
        ("EN_us", Some("en")),
        ("zh-Hant-TW", Some("zh")),
        ("und", None),
        ("", None),
        ("not a language", None),
    ] {
        assert_eq!(language_of(tag).as_deref(), wanted, "{tag}");
    }
    let words = Words::built_in();
    let spoken = |post, offer| words.pick([post, offer]).code().to_owned();
    assert_eq!(spoken(Some("fr"), Some("de")), "fr");
    assert_eq!(spoken(Some("pt"), Some("de")), "de");
    assert_eq!(spoken(None, None), "en");
    assert_eq!(Words::load(&[], "ja").unwrap().pick([None, Some("pt")]).code(), "ja");
}

#[test]
fn a_shop_can_say_it_in_its_own_words_or_in_another_language() {
    let own = with("language = \"en\"\n[reply]\nsold_out = [\"Gone!\"]\n").unwrap();
    assert_eq!(own.find("en").unwrap().texts(Key::SoldOut).len(), 1);
    assert_eq!(own.find("en").unwrap().texts(Key::Held).len(), 3);
    let english = BUILT_IN.first().unwrap().1.replace("language = \"en\"", "language = \"nl\"");
    let dutch = with(&english).unwrap();
    assert_eq!(dutch.all().last().map(Language::code), Some("nl"));
}

#[test]
fn files_that_cannot_be_used_say_where_and_why() {
    let reply = |line: &str| format!("language = \"en\"\n[reply]\n{line}\n");
    let tag = "w".repeat(60);
    for (text, wanted) in [
        ("language = 5", "my.toml: TOML parse error at line 1"),
        ("language = \"english\"", "my.toml: language: must be two or three small letters"),
        ("language = \"en\"\ncolour = \"red\"", "unknown field `colour`"),
        ("language = \"nl\"", "my.toml: form.line: is missing"),
        (&reply("greeting = [\"Hi\"]"), "my.toml: reply.greeting: is nothing that the till says"),
        (&reply("sold_out = []"), "my.toml: reply.sold_out: must be 1 to 8 texts"),
        (&reply("sold_out = [\"\"]"), "my.toml: reply.sold_out[0]: must be 1 to 1000 characters"),
        (&reply("sold_out = [\"a\\u0007\"]"), "must not hold control characters"),
        (&reply("sold_out = [\"Sold for {price}\"]"), "has {price}, but takes no placeholder"),
        (&reply("paid = [\"Thanks\"]"), "my.toml: reply.paid[0]: must have {price}"),
        (
            &reply("held = [\"ok\", \"For {price}: #{confirm} now\"]"),
            "reply.held[0]: must have {price}, {confirm} and {window}",
        ),
        (&reply("did_you_mean = [\"Did you mean {tag}?\"]"), "{tag} must stand behind # and before a space"),
        (
            &reply("did_you_mean = [\"Did you mean #{tag}s?\"]"),
            "{tag} must stand behind # and before a space",
        ),
        (&reply("sold_out = [\"Try #BuyOther\"]"), "must not name a hashtag of its own"),
        (&reply("sold_out = [\"Ask @someone\"]"), "holds an @"),
        (&reply("sold_out = [\"See shop.example.com\"]"), "holds a web address"),
        (
            &reply(&format!("refused = [\"{}\"]", "So it is. ".repeat(15))),
            "reply.refused[0]: comes to 150 with the longest values",
        ),
        (&reply(&format!("did_you_mean = [\"{tag}: #{{tag}} ?\"]")), "comes to 145 with the longest values"),
        ("language = \"en\"\n[span]\nminute = { few = \"x\" }", "span.minute.few: must have {n}"),
        ("language = \"en\"\n[span]\nminute = { some = \"{n}\" }", "span.minute.some: is no plural form"),
        ("language = \"en\"\n[span]\nday = { other = \"{n}\" }", "span.day: is no unit"),
        ("language = \"en\"\n[money]\nUSD = \"$\"", "money.USD: must have {number}"),
        ("language = \"en\"\n[form]\nline = \"{title}\"", "form.line: must have {title} and {text}"),
        ("language = \"en\"\n[form]\nend = \"x\"", "form.end: is no form"),
    ] {
        let error = with(text).unwrap_err();
        assert!(error.contains(wanted), "{text}\n{error}");
    }
    assert!(Words::load(&[], "pt").unwrap_err().contains("does not speak pt, only en, de, es, fr, ja"));
}
