//! A till in this process: store, engine, payments and HTTP put together, and taken apart in order.

use super::playground::Tokens;
use super::rehearse::Host;
use super::{Failure, failure};
use crate::engine::{Engine, EngineConfig, Handle, wall_ms};
use crate::http::{self, Api, ApiConfig, Authenticating, GateConfig, MethodResolver, Server, hash_token};
use crate::payments::{
    Authentication, CARDS, Gateways, NotTaken, Notice, Sandbox, Standing, Stripe, Worker, authenticate,
};
use crate::playground::Playground;
use crate::store::lease::Lease;
use crate::store::{CACHE_BYTES_DEFAULT, Store, beside};
use crate::till::command::Command;
use crate::till::id::PurchaseId;
use crate::till::link::{Setup, SetupBegun, SetupStanding};
use crate::till::money::Money;
use crate::till::record::{PaymentMethod, SettingsRecord};
use crate::till::role::Role;
use crate::till::state::Read as _;
use crate::till::table::Purchases;
use crate::till::time::Time;
use crate::till::words::Words;
use crate::webhooks;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How a till is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data file.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Play money and a clock that can be moved.
    pub sandbox: bool,
    /// Where a fresh sandbox's clock starts.
    pub clock_start: Option<Time>,
    /// Whether a fresh sandbox's clock stands still until it is moved.
    pub clock_stands: bool,
    /// What the ids are drawn from; by chance unless given.
    pub seed: Option<[u64; 2]>,
    /// An admin token that is not in the store.
    pub admin_token: Option<String>,
    /// Tokens of bridges that run in this process, by their networks: not in the store either.
    pub bridge_tokens: Vec<(&'static str, String)>,
    /// How much of the file is kept in memory.
    pub cache_bytes: usize,
    /// From one tick to the next.
    pub tick: Duration,
    /// Connections served at once.
    pub slots: usize,
    /// Jobs that may wait for the writer.
    pub queue_jobs_max: usize,
    /// How long replies, and what explains posts, are kept.
    pub keep_seconds: u32,
    /// Stripe, where cards are charged there.
    pub stripe: Option<Arc<Stripe>>,
    /// What replies say.
    pub words: &'static Words,
    /// Proxies whose forwarded requests count as local.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where to listen for buyers, who reach the pages only.
    pub public_listen: Option<SocketAddr>,
    /// Where buyers reach the pages.
    pub public_url: Option<String>,
    /// The network that the playground of a sandbox plays; empty: there is no playground.
    pub playground: &'static str,
    /// Whether drops can be rehearsed beside it.
    pub rehearses: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data/tagtill.redb"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            sandbox: false,
            clock_start: None,
            clock_stands: false,
            seed: None,
            admin_token: None,
            bridge_tokens: Vec::new(),
            cache_bytes: CACHE_BYTES_DEFAULT,
            tick: Duration::from_secs(1),
            slots: 128,
            queue_jobs_max: EngineConfig::default().queue_jobs_max,
            keep_seconds: EngineConfig::default().keep_seconds,
            stripe: None,
            words: Words::built_in(),
            trusted_proxies: Vec::new(),
            public_listen: None,
            public_url: None,
            playground: "sandbox",
            rehearses: false,
        }
    }
}

/// A till that runs.
pub struct Running {
    server: Server,
    public: Option<Server>,
    worker: Worker,
    webhooks: webhooks::Worker,
    engine: Engine,
    lease: Lease,
    sandbox: Option<Arc<Sandbox>>,
    playground: Option<Arc<Playground>>,
    host: Option<Host>,
    /// Where it listens.
    pub url: String,
    /// The data file.
    pub data: PathBuf,
    pages_url: String,
}

/// Lets HTTP look payment methods up without knowing gateways.
struct Resolver {
    gateways: Gateways,
    sandbox: Option<Arc<Sandbox>>,
    handle: Handle,
}

impl http::Play for Sandbox {
    fn page(&self, reference: &str) -> Option<String> {
        Self::page(self, reference).filter(|page| !page.used).map(|page| page.cancel_url)
    }

    fn cards(&self) -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
        CARDS.iter().map(|card| (card.token, card.brand, card.last4, card.about)).collect()
    }

    fn choose(&self, reference: &str, token: &str) -> Option<String> {
        Self::choose(self, reference, token)
    }
}

impl MethodResolver for Resolver {
    fn resolve(&self, gateway: &str, token: &str) -> Result<PaymentMethod, (&'static str, String)> {
        self.gateways.resolve(gateway, token)
    }

    fn notice<'h>(
        &self,
        gateway: &str,
        header: &dyn Fn(&str) -> Option<&'h str>,
        body: &[u8],
        now_seconds: i64,
    ) -> Result<Option<http::Notice>, http::NotTaken> {
        let gateway = self.gateways.get(gateway).ok_or(http::NotTaken::NotHere)?;
        match gateway.notice(header, body, now_seconds) {
            Ok(notice) => Ok(notice.map(|Notice { event, about }| http::Notice { event, about })),
            Err(NotTaken::NotHere) => Err(http::NotTaken::NotHere),
            Err(NotTaken::Unproven(why)) => Err(http::NotTaken::Unproven(why)),
        }
    }

    fn authenticate(&self, purchase: PurchaseId, return_url: &str) -> Result<Authenticating, String> {
        let snapshot = self.handle.snapshot().map_err(|error| error.to_string())?;
        let record = snapshot.must::<Purchases>(&purchase).map_err(|error| error.to_string())?;
        let asked = authenticate(&self.gateways, (purchase, &record), self.handle.now(), return_url);
        Ok(match asked {
            None => Authenticating::NotNeeded,
            Some(Authentication::Page(url)) => Authenticating::Page(url),
            Some(Authentication::Standing(Standing::Paid | Standing::Declined(_))) => {
                // The worker would see it by itself, only later.
                if let Err(unavailable) = self.handle.call(Command::LookAtCharge { purchase }) {
                    log::warn!("{purchase}: {}", unavailable.0);
                }
                Authenticating::Settled
            }
            Some(Authentication::Standing(_)) => Authenticating::Unknown,
        })
    }

    fn sandbox_waits(&self, reference: &str) -> Option<Money> {
        self.sandbox.as_ref()?.waits_for_owner(reference)
    }

    fn sandbox_answers(&self, reference: &str, approve: bool) -> bool {
        self.sandbox.as_ref().is_some_and(|sandbox| sandbox.answer_authentication(reference, approve))
    }

    fn trouble(&self) -> Option<String> {
        self.gateways.trouble()
    }

    fn storing(&self) -> Option<&'static str> {
        self.gateways.storing()
    }

    fn begin_setup(&self, gateway: &str, setup: &Setup) -> SetupBegun {
        self.gateways.get(gateway).map_or(SetupBegun::NotHere, |gateway| gateway.begin_setup(setup))
    }

    fn setup(&self, gateway: &str, reference: &str, key: &str) -> SetupStanding {
        self.gateways.get(gateway).map_or(SetupStanding::Unknown, |gateway| gateway.setup(reference, key))
    }

    fn play(&self) -> Option<&dyn http::Play> {
        self.sandbox.as_deref().map(|sandbox| sandbox as &dyn http::Play)
    }
}

impl Running {
    /// Starts a till.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do; nothing runs then.
    pub fn start(options: &Options) -> Result<Self, Failure> {
        let mut lease = Lease::take(&options.data).map_err(failure)?;
        let now_ms = wall_ms();
        let store = open(options, now_ms)?;
        let (gateways, sandbox) = gateways(options)?;
        let played = sandbox.as_ref().filter(|_| !options.playground.is_empty());
        let playing = played.map(|_| Tokens::new(options.playground)).transpose()?;
        let config = EngineConfig {
            tick: options.tick,
            queue_jobs_max: options.queue_jobs_max,
            keep_seconds: options.keep_seconds,
            words: options.words,
            seed: options.seed.map_or_else(seed, Ok)?,
            standing_ms: options.clock_stands.then_some(now_ms),
            given_tokens: given_tokens(options, playing.as_ref()),
            ..EngineConfig::default()
        };
        let engine = Engine::start(store, &config).map_err(failure)?;
        let handle = engine.handle();
        let worker = Worker::start(&handle, &gateways, 2);
        let webhooks = webhooks::Worker::start(&handle, http::render_event, options.sandbox);
        let folder = options.data.parent().filter(|folder| !folder.as_os_str().is_empty());
        let host = options.rehearses.then(Host::default);
        let api = Arc::new(Api::new(ApiConfig {
            handle: handle.clone(),
            gateways: Arc::new(Resolver { gateways, sandbox: sandbox.clone(), handle: handle.clone() }),
            sandbox: options.sandbox,
            trusted_proxies: options.trusted_proxies.clone(),
            work_dir: folder.map_or_else(|| PathBuf::from("."), PathBuf::from),
            public_url: options.public_url.clone(),
            rehearsals: host.clone().map(|host| Arc::new(host) as Arc<dyn http::Rehearsals>),
        }));
        let gate = GateConfig { addr: options.listen, slots: options.slots, ..GateConfig::default() };
        let server = match Server::start(gate, api.clone()) {
            Ok(server) => server,
            Err(error) => {
                worker.stop();
                webhooks.stop();
                engine.stop();
                let sentence = format!(
                    "Cannot listen on {}: {error}. Choose another address with --listen.",
                    options.listen
                );
                return Err(Failure::from(sentence));
            }
        };
        api.watch_gate(server.gauge());
        let url = format!("http://{}", server.local_addr());
        let public = match options.public_listen.map(|addr| public(addr, options.slots, &api)).transpose() {
            Ok(public) => public,
            Err(sentence) => {
                server.shutdown();
                worker.stop();
                webhooks.stop();
                engine.stop();
                return Err(sentence);
            }
        };
        let pages =
            public.as_ref().map_or_else(|| url.clone(), |public| format!("http://{}", public.local_addr()));
        api.pages_are_at(&pages);
        let pages_url = options.public_url.clone().unwrap_or(pages);
        let playground = match (playing, &sandbox) {
            (Some(tokens), Some(sandbox)) => Some(Arc::new(tokens.open(&url, &handle, sandbox)?)),
            _ => None,
        };
        if let Some(playground) = &playground {
            api.has_playground(playground.clone());
        }
        lease.announce(&url).map_err(failure)?;
        Ok(Self {
            server,
            public,
            worker,
            webhooks,
            engine,
            lease,
            sandbox,
            playground,
            host,
            url,
            data: options.data.clone(),
            pages_url,
        })
    }

    /// Where buyers reach the pages.
    pub fn pages_url(&self) -> &str {
        &self.pages_url
    }

    /// A way to the writer.
    pub fn handle(&self) -> Handle {
        self.engine.handle()
    }

    /// The sandbox gateway, where this is a sandbox.
    pub fn sandbox(&self) -> Option<&Arc<Sandbox>> {
        self.sandbox.as_ref()
    }

    /// The playground, where this is a sandbox.
    pub fn playground(&self) -> Option<&Playground> {
        self.playground.as_deref()
    }

    /// Stops taking requests, finishes what is under way, closes the file.
    pub fn stop(self) {
        // It may be waiting for news: whoever waits for them is answered at once.
        self.playground.iter().for_each(|playground| playground.tell_to_end());
        if let Some(host) = &self.host {
            host.stop();
        }
        self.engine.handle().waiters().close();
        self.playground.iter().for_each(|playground| playground.stop());
        self.server.shutdown();
        drop(self.public);
        self.worker.stop();
        self.webhooks.stop();
        self.engine.stop();
        drop(self.lease);
    }
}

/// A listener of their own for the pages.
fn public(addr: SocketAddr, slots: usize, api: &Api) -> Result<Server, Failure> {
    let gate = GateConfig { addr, slots, ..GateConfig::default() };
    Server::start(gate, api.public()).map_err(|error| {
        Failure::from(format!(
            "Cannot listen on {addr}: {error}. Choose another address with --public-listen."
        ))
    })
}

fn given_tokens(options: &Options, playing: Option<&Tokens>) -> Vec<([u8; 32], Role)> {
    let admin = options.admin_token.iter().map(|token| (hash_token(token), Role::Admin));
    let bridges = options
        .bridge_tokens
        .iter()
        .map(|(slug, token)| (hash_token(token), Role::Network((*slug).to_owned())));
    let playing = playing.into_iter().flat_map(Tokens::given);
    admin.chain(bridges).chain(playing).collect()
}

fn open(options: &Options, now_ms: i64) -> Result<Store, Failure> {
    let start_ms = options.clock_start.map_or(now_ms, Time::ms);
    let fresh = SettingsRecord {
        epoch: 1,
        sandbox: options.sandbox,
        clock_offset_ms: start_ms.saturating_sub(now_ms),
        paused: false,
    };
    let existed = options.data.exists();
    let store = Store::open(&options.data, options.cache_bytes, &fresh).map_err(failure)?;
    let settings = store.settings().map_err(failure)?;
    let path = options.data.display();
    match (settings.sandbox, options.sandbox) {
        (true, false) => Err(Failure::from(format!("{path} is a sandbox's file: add --sandbox to run it."))),
        (false, true) => Err(Failure::from(format!(
            "{path} is no sandbox's file: leave --sandbox out, or name another file with --data."
        ))),
        _ if existed && options.clock_start.is_some() => Err(Failure::from(format!(
            "--clock-start is for a fresh file, and {path} is there already: its clock goes on from where it was."
        ))),
        _ => Ok(store),
    }
}

fn gateways(options: &Options) -> Result<(Gateways, Option<Arc<Sandbox>>), Failure> {
    let gateways = match &options.stripe {
        Some(stripe) => Gateways::default().with(stripe.clone()),
        None => Gateways::default(),
    };
    if !options.sandbox {
        return Ok((gateways, None));
    }
    let sandbox = Arc::new(Sandbox::open(&beside(&options.data, "sandbox-ledger")).map_err(failure)?);
    Ok((gateways.with(sandbox.clone()), Some(sandbox)))
}

fn seed() -> Result<[u64; 2], Failure> {
    Ok([getrandom::u64().map_err(failure)?, getrandom::u64().map_err(failure)?])
}
