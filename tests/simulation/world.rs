//! The world around the till: buyers, a bridge, operators, a provider and bad luck, all from one seed.
//!
//! What they do is in `deeds`; here is the order of things, and what is checked after each.

use super::chance::{Chance, mix};
use super::clocks::Clocks;
use super::disk::{Fault, SimDisk};
use super::gateway::{Booked, Provider};
use super::model::Model;
use super::till::{AtDesk, Plan, Till};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tagtill::engine::{EngineConfig, Stepper, TimeSource as _};
use tagtill::payments::{Gateways, Round, Standing};
use tagtill::store::{Store, copy_onto};
use tagtill::till::command::{ChargeAnswer, Command, Post};
use tagtill::till::id::{AccountId, CreditId, MerchantId, PurchaseId};
use tagtill::till::record::{AttemptState, CreditStatus, PurchaseStatus, RefundStatus, SettingsRecord};
use tagtill::till::state::Read as _;
use tagtill::till::table::Accounts;

/// A backup: what was copied, and what the model was then.
pub struct Backup {
    disk: SimDisk,
    model: Model,
}

pub struct World {
    pub chance: Chance,
    pub till: Till,
    pub provider: Arc<Provider>,
    gateways: Gateways,
    pub backups: Vec<Backup>,
    /// The side file of erased accounts, which a restore reads.
    pub erased: BTreeSet<AccountId>,
    /// What the provider and the till no longer agree about since a restore.
    tainted: BTreeSet<String>,
    /// Charges that were refused and then paid.
    late: BTreeSet<String>,
    pub posts: Vec<Post>,
    /// Who sells.
    pub merchant: Option<MerchantId>,
    pub named: u64,
    /// The codes that were made, by their hashes.
    pub codes: BTreeMap<[u8; 32], String>,
    /// Requests that carried a key.
    pub requests: BTreeMap<u64, Command>,
    pub trace: Vec<String>,
    /// What happened, counted.
    pub counts: BTreeMap<String, u64>,
}

impl World {
    pub fn new(seed: u64) -> Result<Self, String> {
        let mut chance = Chance::new(seed);
        let clocks = Clocks::starting_at(1_360_677_600_000);
        let till = Till::new(chance.next(), clocks.clone())?;
        let provider = Arc::new(Provider::new(chance.next(), clocks, till.disk.clone()));
        let gateways = Gateways::default().with(provider.clone());
        let mut world = Self {
            chance,
            till,
            provider,
            gateways,
            backups: Vec::new(),
            erased: BTreeSet::new(),
            tainted: BTreeSet::new(),
            late: BTreeSet::new(),
            posts: Vec::new(),
            merchant: None,
            named: 0,
            codes: BTreeMap::new(),
            requests: BTreeMap::new(),
            trace: Vec::new(),
            counts: BTreeMap::new(),
        };
        world.open_shop()?;
        Ok(world)
    }

    /// Runs so many steps, then lets everything come to rest.
    pub fn run(&mut self, steps: u64) -> Result<(), String> {
        for _ in 0..steps {
            self.luck();
            self.step()?;
            self.after_step()?;
        }
        self.come_to_rest()
    }

    fn after_step(&mut self) -> Result<(), String> {
        if let Some(fault) = self.till.disk.struck() {
            self.note(&format!("{fault:?}"));
        }
        self.till.settle()?;
        if self.till.is_down() {
            self.till.settle()?;
        }
        self.provider.disarm();
        let gone = self.till.model.accounts.iter().filter(|one| !one.linked());
        self.erased.extend(gone.filter_map(|one| one.id));
        self.check_money(false)
    }

    /// Now and then something is about to go wrong.
    fn luck(&mut self) {
        if !self.chance.percent(12) {
            return;
        }
        let faults = [
            Fault::PowerCut,
            Fault::PowerCut,
            Fault::Kill,
            Fault::WriteFails,
            Fault::SyncFails,
            Fault::SyncForgets,
            Fault::Full,
        ];
        let fault = *self.chance.pick(&faults).unwrap_or(&Fault::Kill);
        let after = self.chance.below(40);
        self.till.disk.arm(after, fault);
        self.trace.push(format!("  … {fault:?} after {after} writes"));
    }

    /// Counts something and writes it down.
    pub fn note(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
        let wall = self.till.clocks.wall_ms();
        self.trace.push(format!("{wall} {what}"));
    }

    /// Has the till do jobs.
    pub fn command(&mut self, plans: Vec<Plan>) -> Result<(), String> {
        for plan in &plans {
            let (commands, key) = match plan {
                Plan::Many(commands) => (commands.as_slice(), None),
                Plan::Keyed { key, command, .. } => (std::slice::from_ref(command), Some(key)),
            };
            for command in commands {
                self.write_down(command, key);
            }
        }
        self.till.batch(plans)
    }

    fn write_down(&mut self, command: &Command, key: Option<&u64>) {
        if let Command::EraseAccount { id } = command {
            self.erased.insert(*id);
        }
        let text = format!("{command:?}");
        let kind = text.split([' ', '(', '{']).next().unwrap_or_default().to_owned();
        *self.counts.entry(kind).or_default() += 1;
        let kept = key.map_or(String::new(), |key| format!(" under key {key}"));
        self.trace.push(format!("  {text}{kept}"));
    }

    /// The payment worker makes a round.
    pub fn round(&mut self) -> Result<usize, String> {
        let desk = AtDesk(RefCell::new(&mut self.till));
        let stop = AtomicBool::new(false);
        let done = Round { desk: &desk, gateways: &self.gateways, share: 0, shares: 1, stop: &stop }.run();
        if let Some(wrong) = self.till.wrong.take() {
            return Err(wrong);
        }
        match done {
            Ok(done) => Ok(done),
            Err(_) if self.till.is_down() => Ok(0),
            Err(error) => Err(error.to_string()),
        }
    }

    pub fn back_up(&mut self) -> Result<(), String> {
        let disk = SimDisk::default();
        let snapshot = self.till.snapshot().map_err(|error| error.to_string())?;
        copy_onto(&snapshot, disk.clone()).map_err(|error| error.to_string())?;
        self.backups.push(Backup { disk, model: self.till.model.clone() });
        Ok(())
    }

    /// A backup takes the place of the data file; what was erased since is erased again.
    pub fn restore(&mut self, n: usize) -> Result<(), String> {
        let Some(backup) = self.backups.get(n) else { return Ok(()) };
        let (disk, mut model) = (backup.disk.copy(), backup.model.clone());
        let fresh = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
        let store = Store::on_disk(disk.clone(), 1024 * 1024, &fresh).map_err(|error| error.to_string())?;
        let epoch = self.till.model.epoch;
        store.begin_epoch(epoch).map_err(|error| error.to_string())?;
        (model.epoch, model.paused) = (model.epoch.max(epoch) + 1, true);
        let snapshot = store.snapshot().map_err(|error| error.to_string())?;
        let gone: Vec<_> = self
            .erased
            .iter()
            .filter(|id| snapshot.get::<Accounts>(id).ok().flatten().is_some())
            .map(|id| Command::EraseAccount { id: *id })
            .collect();
        drop(snapshot);
        let seed = [self.chance.next(), self.chance.next()];
        let config = EngineConfig { seed, ..EngineConfig::default() };
        let mut stepper = Stepper::new(store, &config, Box::new(self.till.clocks.clone()))
            .map_err(|error| error.to_string())?;
        let now = stepper.now().ms();
        if !gone.is_empty() {
            let answers = stepper.call_many(gone.clone()).map_err(|error| error.0)?;
            for (command, answer) in gone.iter().zip(&answers) {
                model.follow(now, command, Some(answer))?;
            }
        }
        drop(stepper);
        // What happened between the backup and the restore is known to the provider only.
        self.tainted.extend(self.provider.charges().iter().map(|charge| charge.purchase().to_owned()));
        self.provider.follow(&disk);
        self.till.replace(disk, model)
    }

    /// A charge that was refused turns out paid, and the provider says so.
    pub fn succeed_late(&mut self) -> Option<Command> {
        let key = self.provider.succeed_late()?;
        self.late.insert(key.clone());
        self.told_paid(&key)
    }

    /// The provider tells that a charge was paid: one whose reference the till has, or it could not be told apart.
    fn told_paid(&self, key: &str) -> Option<Command> {
        let (id, number) = key.rsplit_once('-')?;
        if let (Some(credit), Ok(attempt)) = (CreditId::parse(id), number.parse::<u32>()) {
            let known = self.till.model.credits.iter().find(|one| one.id == Some(credit))?;
            let referenced = known.attempts.get(attempt as usize - 1)?.referenced;
            let answer = ChargeAnswer::Paid;
            return referenced.then_some(Command::CreditAnswered { credit, attempt, answer });
        }
        let (purchase, attempt): (_, u32) = (PurchaseId::parse(id)?, number.parse().ok()?);
        let known = &self.till.model.purchases[self.till.model.purchase_of(purchase)?];
        let at = usize::try_from(attempt).ok()?.checked_sub(1)?;
        known.attempts.get(at)?.referenced.then_some(Command::Charged {
            purchase,
            attempt,
            answer: ChargeAnswer::Paid,
        })
    }

    /// What the till believes of money is what the provider's books say.
    fn check_money(&self, at_rest: bool) -> Result<(), String> {
        if let Some(problem) = self.provider.problems().first() {
            return Err(format!("the provider: {problem}"));
        }
        let mut books: BTreeMap<String, Vec<Booked>> = BTreeMap::new();
        for charge in self.provider.charges() {
            books.entry(charge.purchase().to_owned()).or_default().push(charge);
        }
        let known: BTreeSet<_> = self
            .till
            .model
            .purchases
            .iter()
            .filter_map(|purchase| purchase.id)
            .map(|id| id.to_string())
            .chain(self.till.model.credits.iter().filter_map(|credit| credit.id).map(|id| id.to_string()))
            .collect();
        if let Some(unknown) = books.keys().find(|id| !known.contains(*id) && !self.tainted.contains(*id)) {
            return Err(format!("{unknown} is charged and not in the data file"));
        }
        for purchase in &self.till.model.purchases {
            let id = purchase.id.map_or(String::new(), |id| id.to_string());
            let charges = books.get(&id).map_or(&[][..], Vec::as_slice);
            self.check_purchase(purchase, charges, at_rest && !self.tainted.contains(&id))
                .map_err(|problem| format!("{id}, {:?}: {problem}; {charges:?}", purchase.status))?;
        }
        for credit in &self.till.model.credits {
            let id = credit.id.map_or(String::new(), |id| id.to_string());
            let charges = books.get(&id).map_or(&[][..], Vec::as_slice);
            if !self.tainted.contains(&id) {
                check_credit(credit, charges, at_rest)
                    .map_err(|problem| format!("{id}: {problem}; {charges:?}"))?;
            }
        }
        Ok(())
    }

    fn check_purchase(
        &self,
        purchase: &super::model::Purchase,
        charges: &[Booked],
        at_rest: bool,
    ) -> Result<(), String> {
        let paid: Vec<_> = charges.iter().filter(|charge| charge.standing == Standing::Paid).collect();
        let bought = matches!(purchase.status, PurchaseStatus::Paid | PurchaseStatus::Refunded);
        if bought && !paid.iter().any(|charge| charge.amount == purchase.price) {
            return Err("it is sold, and the provider has no charge of its price".to_owned());
        }
        if let Some(other) =
            charges.iter().find(|charge| Some(&charge.customer) != purchase.customer.as_ref())
            && !self.tainted.contains(other.purchase())
        {
            return Err(format!("{} was charged, not {:?}", other.customer, purchase.customer));
        }
        if !at_rest {
            return Ok(());
        }
        let kept: i64 = paid.iter().map(|charge| charge.amount - charge.given_back()).sum();
        let due = if bought {
            purchase.price - purchase.back(|status| status == RefundStatus::Succeeded)
        } else {
            0
        };
        // Where the provider refused to take money back by itself, a person has to.
        let stuck = purchase.refunds.iter().any(|one| one.automatic && one.status == RefundStatus::Failed);
        if kept == due || stuck { Ok(()) } else { Err(format!("{kept} is kept of it, {due} is due")) }
    }

    /// Nothing goes wrong any more, time passes, and everything has to end.
    fn come_to_rest(&mut self) -> Result<(), String> {
        self.till.disk.disarm();
        self.provider.calm_down();
        self.till.accept_jump()?;
        self.command(vec![Plan::Many(vec![Command::Resume])])?;
        let late: Vec<_> = self.late.iter().filter_map(|key| self.told_paid(key)).collect();
        if !late.is_empty() {
            self.command(vec![Plan::Many(late)])?;
        }
        for _ in 0..60 {
            self.till.clocks.pass(400_000);
            while self.till.tick()? {}
            self.till.settle()?;
            while self.round()? > 0 {
                self.till.settle()?;
            }
        }
        if let Some(open) = self.till.model.purchases.iter().find(|purchase| {
            purchase.holds() || purchase.refunds.iter().any(|one| one.status == RefundStatus::Pending)
        }) {
            return Err(format!("it never ends: {open:?}"));
        }
        if let Some(open) = self.till.model.credits.iter().find(|credit| credit.is_open()) {
            return Err(format!("it never ends: {open:?}"));
        }
        self.till.model.everybody_was_told()?;
        self.check_money(true)?;
        let ends: Vec<_> =
            self.till.model.purchases.iter().map(|one| format!("= {:?}", one.status)).collect();
        let lost = |one: &&super::model::Attempt| one.state == AttemptState::Lost;
        let lost = self.till.model.purchases.iter().flat_map(|one| &one.attempts).filter(lost).count();
        for end in ends {
            self.note(&end);
        }
        *self.counts.entry("attempts lost".to_owned()).or_default() += lost as u64;
        self.till.restart()?;
        self.check_money(true)
    }

    /// What all that came to, as one number: the same for the same seed.
    pub fn digest(&self) -> u64 {
        self.trace.iter().flat_map(|line| line.bytes()).fold(0, |sum, byte| mix(sum ^ u64::from(byte)))
    }
}

/// What is credited is what the provider has given to that card, less what it has taken back.
fn check_credit(credit: &super::deals::Credit, charges: &[Booked], at_rest: bool) -> Result<(), String> {
    let paid: Vec<_> = charges.iter().filter(|charge| charge.standing == Standing::Paid).collect();
    if credit.status == CreditStatus::Credited && paid.is_empty() {
        return Err("it is credited, and the provider has given nothing".to_owned());
    }
    if let Some(other) = charges.iter().find(|charge| charge.customer != credit.customer) {
        return Err(format!("{} was credited, not {}", other.customer, credit.customer));
    }
    let stuck = credit.reversals.iter().any(|(_, _, status)| *status == RefundStatus::Failed);
    let kept: i64 = paid.iter().map(|charge| charge.amount - charge.given_back()).sum();
    if !at_rest || stuck || kept == credit.due {
        return Ok(());
    }
    Err(format!("{kept} is credited of it, {} is due", credit.due))
}
