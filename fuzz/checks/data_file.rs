//! Damaged data files and backups: opened or refused with a sentence, never worse, and never changed by looking.

use std::path::Path;
use std::sync::OnceLock;
use tagtill::store::{Batch, Store, StoreError, guarded};
use tagtill::till::apply::apply;
use tagtill::till::command::{ChargeAnswer, Command, NewAccount, NewOffer, Outcome, Post};
use tagtill::till::context::Context;
use tagtill::till::id::IdSource;
use tagtill::till::money::{Currency, Money};
use tagtill::till::record::{Address, Identity, PaymentMethod, Recipient, SettingsRecord};
use tagtill::till::state::StateError;
use tagtill::till::time::Time;
use tagtill::till::verify;
use tagtill::till::words::Words;

const CACHE_BYTES: usize = 1024 * 1024;

/// The input is damage done to a small sound file, step by step: a byte for what (overwrite, flip bits, clear a page,
/// cut, append, move a page), four for where, one for how many bytes follow, and those bytes.
pub fn data_file(data: &[u8]) {
    let mut bytes = sound().to_vec();
    damage(&mut bytes, data);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("till.redb");
    std::fs::write(&path, &bytes).unwrap();

    let looked = look(&path);
    assert!(std::fs::read(&path).unwrap() == bytes, "looking changes nothing");
    if bytes == sound() {
        assert_eq!(looked.as_deref(), Ok(""), "a sound file is sound");
    }
    // What is refused is left as it is. (redb may end the process as it closes a file that is damaged but opens, so
    // only one that looks sound is opened to be written.)
    if looked.as_deref() == Ok("") {
        rules(&Store::open_existing(&path, CACHE_BYTES).unwrap()).unwrap();
    } else if let Err(error) = Store::open_unchanged(&path, CACHE_BYTES) {
        assert!(error.to_string().contains("till.redb"), "{error}");
        assert!(Store::open_existing(&path, CACHE_BYTES).is_err());
        assert!(std::fs::read(&path).unwrap() == bytes, "what cannot be opened is left as it is");
    }
}

/// What `tagtill verify` finds: what does not hold, or why it cannot tell.
fn look(path: &Path) -> Result<String, String> {
    let say = |error: StoreError| error.to_string();
    let store = Store::open_unchanged(path, CACHE_BYTES).map_err(say)?;
    let store = store.check_pages().map_err(|error| error.to_string())?;
    rules(&store).map_err(|error| error.to_string())
}

fn rules(store: &Store) -> Result<String, StateError> {
    let check = || verify::check(&store.snapshot()?);
    Ok(guarded(check, |error| error)?.problems.join("\n"))
}

fn damage(bytes: &mut Vec<u8>, mut data: &[u8]) {
    const PAGE: usize = 4096;
    while let Some((step, rest)) = data.split_at_checked(6) {
        let room = bytes.len().max(1);
        let at = u32::from_le_bytes([step[1], step[2], step[3], step[4]]) as usize % room;
        // The first page tells where everything is: half of all steps go there.
        let at = if step[0] & 8 == 0 { at } else { at % PAGE };
        let (with, rest) = rest.split_at(rest.len().min(usize::from(step[5])));
        data = rest;
        let page = at / PAGE * PAGE;
        match step[0] & 7 {
            0 | 6 => bytes.iter_mut().skip(at).zip(with).for_each(|(byte, new)| *byte = *new),
            1 | 7 => bytes.iter_mut().skip(at).zip(with).for_each(|(byte, new)| *byte ^= *new),
            2 => bytes.iter_mut().skip(page).take(PAGE).for_each(|byte| *byte = 0),
            3 => bytes.truncate(at),
            4 => bytes.extend(std::iter::repeat_n(0, at % (64 * 1024))),
            _ => {
                let from = usize::from(with.first().copied().unwrap_or_default()) * PAGE;
                if from + PAGE <= bytes.len() && page + PAGE <= bytes.len() {
                    bytes.copy_within(from..from + PAGE, page);
                }
            }
        }
    }
}

/// A small file in which something was sold, something is on its way, and something waits; closed cleanly.
fn sound() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("till.redb");
        let fresh = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
        let store = Store::open(&path, CACHE_BYTES, &fresh).unwrap();
        let mut ids = IdSource::new([1, 2]);
        for user in ["ann", "bob", "cy"] {
            let mut batch = store.batch().unwrap();
            sell(&mut batch, &mut ids, user);
            store.commit(batch).unwrap();
        }
        drop(store);
        std::fs::read(&path).unwrap()
    })
}

/// One merchant's offer, one buyer, one purchase: Ann's is paid, Bob's is being charged, Cy's is held.
fn sell(batch: &mut Batch, ids: &mut IdSource, user: &str) {
    let mut now = Time::from_ms(1_360_677_600_000);
    let mut act = |command: Command| {
        let mut tx = batch.begin();
        now = now.plus_seconds(1);
        let outcome = apply(&mut tx, &mut Context { now, words: Words::built_in(), ids }, &command).unwrap();
        tx.keep();
        outcome
    };
    let Outcome::Merchant(merchant) = act(Command::CreateMerchant { name: "Shop".to_owned() }) else {
        panic!()
    };
    act(Command::CreateOffer(Box::new(NewOffer {
        quantity: Some(5),
        per_account_limit: 5,
        ..NewOffer::new(
            merchant,
            &format!("#Buy{user}"),
            "Tea",
            Money { amount: 900, currency: Currency::USD },
        )
    })));
    act(Command::CreateAccount(Box::new(account(user))));
    let post = |id: &str, tag: String| {
        Command::JudgePost(Post {
            network: "sandbox".to_owned(),
            id: format!("{user}-{id}"),
            author: Recipient { user_id: user.to_owned(), handle: user.to_owned() },
            hashtags: vec![tag],
            text: String::new(),
            created_at: None,
            repost_of: None,
            quote_of: None,
            to_us: None,
            language: None,
        })
    };
    let Outcome::Post(held) = act(post("buy", format!("buy{user}"))) else { panic!() };
    if user == "cy" {
        return;
    }
    let (purchase, (reply, _)) = (held.purchase.unwrap(), held.reply.unwrap());
    act(Command::ReplySent { id: reply, network: None, post_id: format!("r-{user}"), sent_at: None });
    act(post("confirm", format!("confirm{user}")));
    let created = ChargeAnswer::Created(format!("sbx_{user}"));
    act(Command::Charged { purchase, attempt: 1, answer: created });
    if user == "ann" {
        act(Command::Charged { purchase, attempt: 1, answer: ChargeAnswer::Paid });
    }
}

fn account(user: &str) -> NewAccount {
    let owned = |text: &str| text.to_owned();
    NewAccount {
        identities: vec![Identity { network: owned("sandbox"), user_id: owned(user), handle: owned(user) }],
        email: None,
        billing_address: Address {
            name: owned("Jo Doe"),
            line1: owned("1 Main St"),
            line2: None,
            city: owned("Springfield"),
            region: Some(owned("IL")),
            postal_code: owned("62701"),
            country: owned("US"),
        },
        payment_method: PaymentMethod {
            gateway: owned("sandbox"),
            customer: owned("sandbox"),
            token: owned("tok_visa"),
            brand: owned("visa"),
            last4: owned("4242"),
            fingerprint: String::new(),
        },
    }
}
