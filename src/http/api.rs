//! The API: from a request to its route's handler, through everything that is the same for all of them.
//!
//! In this order: the path (404), the method (405), the token (401), its role (403), the query (400), the
//! idempotency key. Then the handler, which reads the body. A handler never waits: what takes long is handed to
//! whoever answers later.

use super::answer::{Answer, Out};
use super::auth;
use super::bridges::Bridges;
use super::call::Call;
use super::gate::GateStats;
use super::idempotency::{self, InFlight};
use super::message::{Method, Request};
use super::metrics::Metrics;
use super::overview::Overview;
use super::pages::{self, Limits};
use super::problem::{Code, Problem};
use super::query::Query;
use super::route::Route;
use super::routes;
use super::routes::rehearsals::Rehearsals;
use super::server::{Handler, Responder};
use crate::engine::{Handle, find_kept};
use crate::store;
use crate::till::id::PurchaseId;
use crate::till::link::{Setup, SetupBegun, SetupStanding};
use crate::till::money::Money;
use crate::till::record::PaymentMethod;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, OnceLock};

/// A gateway says that something happened to a charge.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The gateway's id of it.
    pub event: String,
    /// The gateway's name for the charge.
    pub about: String,
}

/// Why a notice is not taken.
#[derive(Clone, Debug)]
pub enum NotTaken {
    /// This till takes none of that gateway.
    NotHere,
    /// It is not shown to be the gateway's, in a sentence.
    Unproven(&'static str),
}

/// Where a buyer does the step that is left before the card can be charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authenticating {
    /// On this page of the gateway's; one that begins with `/` is a page of this till.
    Page(String),
    /// It is done, or no longer possible: the purchase says so in a moment.
    Settled,
    /// Nothing is left to do.
    NotNeeded,
    /// The gateway did not say: try again.
    Unknown,
}

/// Turns what a client sends as a payment method into what is kept.
pub trait MethodResolver: Send + Sync {
    /// The payment method behind a gateway's token. May take as long as a gateway does.
    ///
    /// # Errors
    /// The field at fault, `payment_method.gateway` or `payment_method.token`, and what is wrong with it.
    fn resolve(&self, gateway: &str, token: &str) -> Result<PaymentMethod, (&'static str, String)>;

    /// Reads what claims to be a gateway's message, at a Unix time in seconds; `None`: nothing is to do about it.
    ///
    /// # Errors
    /// Where it is not shown to be that gateway's.
    fn notice<'h>(
        &self,
        _gateway: &str,
        _header: &dyn Fn(&str) -> Option<&'h str>,
        _body: &[u8],
        _now_seconds: i64,
    ) -> Result<Option<Notice>, NotTaken> {
        Err(NotTaken::NotHere)
    }

    /// The gateway on whose own page buyers store their cards; `None`: there is none.
    fn storing(&self) -> Option<&'static str> {
        None
    }

    /// Begins to store a card on a page of the gateway's. May take as long as a gateway does.
    fn begin_setup(&self, _gateway: &str, _setup: &Setup) -> SetupBegun {
        SetupBegun::NotHere
    }

    /// Asks how storing a card stands. May take as long as a gateway does.
    fn setup(&self, _gateway: &str, _reference: &str, _key: &str) -> SetupStanding {
        SetupStanding::Unknown
    }

    /// The sandbox's own pages, in a sandbox.
    fn play(&self) -> Option<&dyn Play> {
        None
    }

    /// Where the buyer of a purchase does the step that is left at the gateway; afterwards the browser is sent to
    /// `return_url`. May take as long as a gateway does.
    ///
    /// # Errors
    /// A sentence for the log, where the data file cannot be read.
    fn authenticate(&self, _purchase: PurchaseId, _return_url: &str) -> Result<Authenticating, String> {
        Ok(Authenticating::NotNeeded)
    }

    /// What a charge of the sandbox's comes to that waits for its card's owner; `None` where none does.
    fn sandbox_waits(&self, _reference: &str) -> Option<Money> {
        None
    }

    /// The card's owner allows such a charge, or does not; false where none waits.
    fn sandbox_answers(&self, _reference: &str, _approve: bool) -> bool {
        false
    }

    /// What keeps a gateway from doing anything, in a sentence for its operator.
    fn trouble(&self) -> Option<String> {
        None
    }
}

/// What a test card is: its token, its brand, its last four digits, what it does.
pub type TestCard = (&'static str, &'static str, &'static str, &'static str);

/// The sandbox's stand-in for a gateway's pages.
pub trait Play: Send + Sync {
    /// Where the page of this reference goes back to, while no card was chosen on it.
    fn page(&self, reference: &str) -> Option<String>;

    /// The test cards.
    fn cards(&self) -> Vec<TestCard>;

    /// Takes the choice; where the browser goes then.
    fn choose(&self, reference: &str, token: &str) -> Option<String>;
}

/// The little network of a sandbox's playground.
pub trait PlaygroundPage: Send + Sync {
    /// What there is to see: the name of its state and, unless that is the one `known`, all of it as JSON.
    fn look(&self, known: &str) -> (String, Option<Arc<str>>);

    /// Does what somebody wants done; `field` gives what they filled in. May take as long as the till does.
    ///
    /// # Errors
    /// A status, and in a sentence why nothing was done.
    fn act(&self, deed: &str, field: &dyn Fn(&str) -> String) -> Result<(), (u16, String)>;
}

/// What the API needs.
pub struct ApiConfig {
    /// The way to the writer.
    pub handle: Handle,
    /// Knows payment methods.
    pub gateways: Arc<dyn MethodResolver>,
    /// Whether the clock may be moved.
    pub sandbox: bool,
    /// Proxies whose `Forwarded` and `X-Forwarded-For` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where a backup is written before it is sent.
    pub work_dir: PathBuf,
    /// Where buyers reach the pages, as in `https://till.example.com`; `None`: where it listens.
    pub public_url: Option<String>,
    /// Plays rehearsals; `None`: none are played here.
    pub rehearsals: Option<Arc<dyn Rehearsals>>,
}

/// What all handlers share.
pub struct Shared {
    /// The way to the writer.
    pub handle: Handle,
    /// Knows payment methods.
    pub gateways: Arc<dyn MethodResolver>,
    /// Whether the clock may be moved.
    pub sandbox: bool,
    /// Where a backup is written before it is sent.
    pub work_dir: PathBuf,
    /// Whether a backup is being written.
    pub backing_up: AtomicBool,
    /// Counters.
    pub metrics: Metrics,
    /// What bridges said of themselves.
    pub bridges: Bridges,
    /// The console's first page.
    pub overview: Overview,
    /// How often strangers have begun things.
    pub limits: Limits,
    /// The playground, in a sandbox.
    pub playground: OnceLock<Arc<dyn PlaygroundPage>>,
    /// Plays rehearsals.
    pub rehearsals: Option<Arc<dyn Rehearsals>>,
    /// Page requests that wait for a commit or a gateway.
    pub pages_waiting: Arc<AtomicUsize>,
    base_url: OnceLock<String>,
    /// Asks the gate how it stands.
    pub gate: OnceLock<Box<dyn Fn() -> Option<GateStats> + Send + Sync>>,
    trusted_proxies: Vec<IpAddr>,
    in_flight: InFlight,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// The API as a handler of requests.
pub struct Api {
    shared: Arc<Shared>,
}

impl Api {
    /// An API on a running engine. What a killed till left of a backup, which holds everything, is removed.
    pub fn new(config: ApiConfig) -> Self {
        let ApiConfig { handle, gateways, sandbox, trusted_proxies, work_dir, public_url, rehearsals } =
            config;
        store::sweep(&work_dir, routes::backups::COPIES);
        let shared = Shared {
            handle,
            gateways,
            sandbox,
            work_dir,
            backing_up: AtomicBool::new(false),
            metrics: Metrics::default(),
            bridges: Bridges::default(),
            overview: Overview::default(),
            limits: Limits::default(),
            playground: OnceLock::new(),
            rehearsals,
            pages_waiting: Arc::default(),
            base_url: public_url.map_or_else(OnceLock::new, OnceLock::from),
            gate: OnceLock::new(),
            trusted_proxies,
            in_flight: InFlight::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Says, once, how to ask the gate how it stands: `/metrics` shows it. The server owns this API, so the closure
    /// should hold no more than a [`std::sync::Weak`] of the server.
    pub fn watch_gate(&self, ask: impl Fn() -> Option<GateStats> + Send + Sync + 'static) {
        drop(self.shared.gate.set(Box::new(ask)));
    }

    /// Says where the pages are reached, unless that is configured.
    pub fn pages_are_at(&self, url: &str) {
        drop(self.shared.base_url.set(url.to_owned()));
    }

    /// Opens the playground, once: it is a client of this API and needs its address.
    pub fn has_playground(&self, playground: Arc<dyn PlaygroundPage>) {
        drop(self.shared.playground.set(playground));
    }

    /// The part of it that everybody may reach: buyers' pages, and what gateways send.
    pub fn public(&self) -> Arc<dyn Handler> {
        Arc::new(Public { api: Self { shared: Arc::clone(&self.shared) } })
    }
}

/// The pages for buyers, and what gateways send, for a listener of their own.
struct Public {
    api: Api,
}

impl Handler for Public {
    fn handle(&self, request: Request, responder: Responder) {
        if pages::is_public(&request.path) || request.path.starts_with("/v1/gateway-events/") {
            return self.api.handle(request, responder);
        }
        let out = Out::new(responder, &self.api.shared, &request.method, "(not public)");
        out.fail(&Problem::new(Code::NotFound, "There is nothing under this path."));
    }
}

impl Handler for Api {
    fn handle(&self, mut request: Request, responder: Responder) {
        if request.method == Method::Head {
            request.method = Method::Get;
        }
        if pages::is_page(&request.path) {
            return pages::answer(&self.shared, request, responder);
        }
        let (route, params) = match find(&request) {
            Ok(found) => found,
            Err(problem) => {
                // What strangers type as a path does not go into the log.
                return Out::new(responder, &self.shared, &request.method, "(no route)").fail(&problem);
            }
        };
        let mut out = Out::new(responder, &self.shared, &request.method, &request.path);
        match self.shared.answer(&mut out, request, route, params) {
            Ok(Answer::Now(response)) => out.send(response),
            Ok(Answer::Later(with)) => with(&self.shared, out),
            Err(problem) => out.fail(&self.shared.or_stopping(problem)),
        }
    }
}

/// The route of a request.
fn find(request: &Request) -> Result<(&'static Route, Vec<String>), Problem> {
    let mut allowed: Vec<&str> = Vec::new();
    for route in routes::all() {
        let Some(params) = route.matches(&request.path) else { continue };
        if route.method == request.method {
            return Ok((route, params));
        }
        allowed.push(route.method.as_str());
        if route.method == Method::Get {
            allowed.push("HEAD");
        }
    }
    if allowed.is_empty() {
        return Err(Problem::new(
            Code::NotFound,
            "There is nothing under this path; /v1/openapi.json lists what is.",
        ));
    }
    let allowed = allowed.join(", ");
    let detail = format!("This path takes {allowed}.");
    Err(Problem::new(Code::MethodNotAllowed, detail).with_header("Allow", allowed))
}

impl Shared {
    /// Where buyers reach the pages, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.base_url.get().map_or("", String::as_str)
    }

    /// Whether they do so over TLS.
    pub fn is_secure(&self) -> bool {
        self.base_url().starts_with("https://")
    }

    /// Proxies whose `Forwarded` and `X-Forwarded-For` are believed.
    pub fn trusted_proxies(&self) -> &[IpAddr] {
        &self.trusted_proxies
    }

    /// Once the data file has failed, what cannot be read is no fault to look into: the till is stopping.
    fn or_stopping(&self, problem: Problem) -> Problem {
        if problem.code != Code::Internal || !self.handle.has_failed() {
            return problem;
        }
        let detail = "The till's data file has failed, so the till is stopping. Send the same request again once the \
                      till is back.";
        let stopping = Problem::new(Code::Unavailable, detail).with_header("Retry-After", "2");
        Problem { inner: problem.inner, ..stopping }
    }

    fn answer(
        self: &Arc<Self>,
        out: &mut Out,
        request: Request,
        route: &'static Route,
        params: Vec<String>,
    ) -> Result<Answer, Problem> {
        let caller = auth::admit(route, &request, self.handle.memory(), &self.trusted_proxies)?;
        let query = Query::parse(&request.query, route)?;
        let keyed =
            if route.keyed { idempotency::keyed(&request, caller.as_ref(), route.secret)? } else { None };
        if let Some(keyed) = &keyed {
            out.place = Some(self.in_flight.enter(keyed.scope)?);
            // Looked up before anything else happens: the gateway is not asked twice about one request.
            if let Some(reply) = find_kept(&self.handle.snapshot()?, keyed)? {
                return Ok(Answer::Now(idempotency::response(reply, &request.path, false)?));
            }
        }
        (route.handle)(self, &Call { route, request, params, query, caller, keyed })
    }
}
