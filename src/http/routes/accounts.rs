//! `/v1/accounts`: buyers, from linking to erasure.

use super::patch::given;
use super::search::{self, Sought};
use crate::http::answer::Answer;
use crate::http::api::{MethodResolver, Shared};
use crate::http::call::{Call, Change};
use crate::http::paging::{CURSOR, LIMIT, Page, page, page_among};
use crate::http::problem::{Code, Problem};
use crate::http::route::{Param, Route};
use crate::store::Snapshot;
use crate::till::command::{AccountChange, Command, NewAccount, Outcome};
use crate::till::id::AccountId;
use crate::till::record::{AccountRecord, AccountStatus, Address, Identity, Mandate, PaymentMethod};
use crate::till::state::{Read, Span, StateError};
use crate::till::table::Accounts;
use crate::till::time::Time;
use crate::till::{account, network};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub const ROUTES: &[Route] = &[
    Route::post("/v1/accounts", "createAccount", "Link identities to a payment method.", create)
        .takes::<AccountCreate>()
        .gives::<AccountView>()
        .creates(),
    Route::get("/v1/accounts", "listAccounts", "All accounts.", list)
        .query(&[
            LIMIT,
            CURSOR,
            Param::new::<String>("network", "Only who is linked there; a slug."),
            Param::new::<String>("handle", "Only who is called exactly so, with or without @."),
            Param::new::<AccountStatus>("status", "Only these."),
            Param::new::<String>(
                "q",
                "Only what this finds: an account's id, a network's id of a person, or a part of a handle, an email \
                 or a name.",
            ),
        ])
        .gives::<Page<AccountView>>(),
    Route::get("/v1/accounts/{id}", "getAccount", "An account.", get).gives::<AccountView>(),
    Route::patch("/v1/accounts/{id}", "updateAccount", "Change an account.", update)
        .takes::<AccountPatch>()
        .gives::<AccountView>(),
    Route::delete(
        "/v1/accounts/{id}",
        "eraseAccount",
        "Unlink an account and erase its personal data.",
        erase,
    )
    .gives::<AccountView>(),
];

/// A card as its gateway knows it; never a card number.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PaymentMethodToken")]
struct MethodToken {
    /// The gateway's slug: `sandbox`, `stripe`.
    gateway: String,
    /// The gateway's token.
    token: String,
}

/// A new account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AccountCreate {
    identities: Vec<Identity>,
    email: Option<String>,
    billing_address: Address,
    payment_method: MethodToken,
}

/// What to change of an account; what is left out stays.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::option_option, reason = "missing and null are two things")]
struct AccountPatch {
    /// In place of all that were linked.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Vec<Identity>")]
    identities: Option<Vec<Identity>>,
    #[serde(deserialize_with = "given")]
    email: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "Address")]
    billing_address: Option<Address>,
    #[serde(deserialize_with = "given")]
    #[schemars(with = "MethodToken")]
    payment_method: Option<MethodToken>,
    /// `active` or `suspended`.
    #[serde(deserialize_with = "given")]
    #[schemars(with = "AccountStatus")]
    status: Option<AccountStatus>,
}

/// What the till shows of a card.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "PaymentMethod")]
struct MethodView {
    gateway: String,
    brand: String,
    last4: String,
}

/// An account; what is personal is null once it is erased.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Account")]
struct AccountView {
    id: AccountId,
    status: AccountStatus,
    identities: Option<Vec<Identity>>,
    email: Option<String>,
    billing_address: Option<Address>,
    payment_method: Option<MethodView>,
    /// Linked identities whose handle has changed: they can neither buy nor confirm until a PATCH of `identities`
    /// confirms them.
    frozen: Vec<FrozenView>,
    /// What its owner agreed to when they linked it themselves.
    mandate: Option<Mandate>,
    created_at: Time,
}

/// An identity that waits to be confirmed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FrozenIdentity")]
struct FrozenView {
    network: String,
    user_id: String,
}

fn view(id: AccountId, account: &AccountRecord) -> AccountView {
    let person = account.person.as_ref();
    AccountView {
        id,
        status: account.status,
        identities: person.map(|person| person.identities.clone()),
        email: person.and_then(|person| person.email.clone()),
        billing_address: person.map(|person| person.billing_address.clone()),
        payment_method: person.map(|person| {
            let PaymentMethod { gateway, brand, last4, .. } = person.payment_method.clone();
            MethodView { gateway, brand, last4 }
        }),
        frozen: account
            .frozen
            .iter()
            .map(|(network, user_id)| FrozenView { network: network.clone(), user_id: user_id.clone() })
            .collect(),
        mandate: account.mandate,
        created_at: account.created_at,
    }
}

fn of_outcome<S: Read>(state: &S, outcome: &Outcome) -> Result<AccountView, StateError> {
    match outcome {
        Outcome::Account(id) => Ok(view(*id, &state.must::<Accounts>(id)?)),
        other => Err(StateError(format!("not an account: {other:?}"))),
    }
}

fn submit(call: &Call, command: Command, account: Option<AccountId>) -> Change {
    call.change(command, account, |tx, _, outcome| of_outcome(tx, outcome))
}

fn resolve(gateways: &dyn MethodResolver, method: &MethodToken) -> Result<PaymentMethod, Problem> {
    let resolved = gateways.resolve(&method.gateway, &method.token);
    resolved.map_err(|(field, detail)| Problem::on(Code::Invalid, field, detail))
}

/// Asks the gateway about `method` on a thread of its own, because that may take long, and then goes to the writer.
fn with_method(
    call: &Call,
    method: MethodToken,
    account: Option<AccountId>,
    command: impl FnOnce(PaymentMethod) -> Command + Send + 'static,
) -> Result<Answer, Problem> {
    // The change is made up of the call here, its command once the gateway has answered.
    let change = submit(call, Command::Resume, account);
    Answer::later(move |shared, out| {
        let shared = Arc::clone(shared);
        let asking = std::thread::Builder::new().name("resolve".to_owned()).spawn(move || {
            match resolve(shared.gateways.as_ref(), &method) {
                Ok(method) => change.with_command(command(method)).submit(&shared, out),
                Err(problem) => out.fail(&problem),
            }
        });
        if let Err(error) = asking {
            log::error!("no thread to ask a gateway with: {error}");
        }
    })
}

fn create(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let AccountCreate { identities, email, billing_address, payment_method } = call.body()?;
    with_method(call, payment_method, None, move |payment_method| {
        Command::CreateAccount(Box::new(NewAccount { identities, email, billing_address, payment_method }))
    })
}

fn update(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(AccountId::parse, "account")?;
    let patch: AccountPatch = call.body()?;
    let mut change = AccountChange {
        identities: patch.identities,
        email: patch.email,
        billing_address: patch.billing_address,
        payment_method: None,
        status: patch.status,
    };
    let Some(method) = patch.payment_method else {
        return submit(call, Command::UpdateAccount { id, change: Box::new(change) }, Some(id)).answer();
    };
    account::must_find(&shared.handle.snapshot()?, id)?;
    with_method(call, method, Some(id), move |method| {
        change.payment_method = Some(method);
        Command::UpdateAccount { id, change: Box::new(change) }
    })
}

fn erase(_: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(AccountId::parse, "account")?;
    submit(call, Command::EraseAccount { id }, Some(id)).answer()
}

fn get(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(AccountId::parse, "account")?;
    Answer::ok(&view(id, &account::must_find(&shared.handle.snapshot()?, id)?))
}

/// Which accounts are asked for.
struct Filter<'a> {
    network: Option<&'a str>,
    handle: Option<String>,
    status: Option<AccountStatus>,
    words: Option<String>,
}

impl Filter<'_> {
    fn fits(&self, account: &AccountRecord) -> bool {
        let fits = |one: &Identity| {
            self.network.is_none_or(|network| network == one.network)
                && self.handle.as_ref().is_none_or(|handle| *handle == search::plain(&one.handle))
        };
        let linked = || account.person.as_ref().is_some_and(|person| person.identities.iter().any(fits));
        self.status.is_none_or(|status| status == account.status)
            && (self.network.is_none() && self.handle.is_none() || linked())
            && self.words.as_ref().is_none_or(|words| search::is_called(account, words))
    }
}

fn list(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let snapshot = shared.handle.snapshot()?;
    let mut filter = Filter {
        network: search::text(call, "network")?,
        handle: search::text(call, "handle")?.map(search::plain),
        status: call.query.word::<AccountStatus>("status")?,
        words: None,
    };
    if let Some(slug) = filter.network {
        network::find(&snapshot, slug)?
            .ok_or_else(|| Problem::unreadable("network", "is no network that this till knows"))?;
    }
    let text = search::text(call, "q")?;
    let mut keys = None;
    match text.map(|text| search::accounts(&snapshot, text)).transpose()? {
        Some(Sought::Keys(found)) => keys = Some(found),
        Some(Sought::Words(words)) => filter.words = Some(words),
        None => {}
    }
    let matches = |account: &AccountRecord| filter.fits(account);
    let show = |_: &Snapshot, id, account: &AccountRecord| Ok(view(id, account));
    Answer::ok(&match keys {
        Some(keys) => page_among::<Accounts, _>(&snapshot, call, (Span::all(), keys), matches, show)?,
        None => page::<Accounts, _>(&snapshot, call, matches, show)?,
    })
}
