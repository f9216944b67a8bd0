//! What people do to link, to unlink and to be erased: in their browser, and by posting a code. Mostly the next step,
//! often another, or by somebody else, or once more.

use super::deeds::{NETWORKS, USERS};
use super::links::{Session, alike};
use super::world::World;
use tagtill::till::command::{Command, LinkStep, NewLink};
use tagtill::till::link::code_hash;
use tagtill::till::record::{Address, CardSetup, LinkPurpose, LinkStatus, Recipient};
use tagtill::till::time::Time;

impl World {
    /// A step of some session, or a new one.
    pub fn browse(&mut self) -> Vec<Command> {
        let open = self.chance.percent(90);
        let sessions = self.till.model.sessions.iter();
        let some: Vec<_> =
            sessions.filter(|one| !open || one.is.status == LinkStatus::Open).cloned().collect();
        let session = self.chance.pick(&some[some.len().saturating_sub(2)..]).cloned();
        match session.filter(|_| self.chance.percent(90)) {
            Some(session) => self.go_on(&session),
            None => self.begin(),
        }
    }

    /// The hash of something that nobody else has.
    fn secret(&mut self) -> [u8; 32] {
        self.named += 1;
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&self.named.to_be_bytes());
        secret
    }

    /// Who links, and where: often somebody whose repost waits for our reply, which must be worth nothing after a move.
    fn who(&mut self) -> (String, String) {
        let early = self.till.model.early.iter();
        let early = early.map(|((network, ..), early)| (network.clone(), early.author.clone()));
        let early: Vec<_> = early.collect();
        if let Some(one) = self.chance.pick(&early).cloned()
            && self.chance.percent(60)
        {
            return one;
        }
        let network = self.chance.pick(NETWORKS).map_or_else(String::new, |slug| (*slug).to_owned());
        (network, format!("u{}", self.chance.below(USERS)))
    }

    /// By a link that opens once, or right in a browser; to a new account, or into one that is there.
    fn begin(&mut self) -> Vec<Command> {
        let (network, user) = self.who();
        let handle = match self.chance.below(20) {
            0 => format!("@{}", user.to_uppercase()),
            1 => format!("{user}@host"),
            // A handle that they have only now, or will have.
            2 => format!("{user}2"),
            3 => format!("{user} {user}"),
            _ => user,
        };
        let purpose = match self.chance.below(20) {
            0..14 => LinkPurpose::Link,
            14..18 => LinkPurpose::Unlink,
            _ => LinkPurpose::Erase,
        };
        let into = purpose == LinkPurpose::Link && self.chance.percent(35);
        let account = into.then(|| self.some_account()).flatten();
        let (by_link, secret) = (self.chance.percent(30), self.secret());
        let (opening, browser) = if by_link { (Some(secret), None) } else { (None, Some(secret)) };
        let new = NewLink { purpose, network, handle, opening, browser, account };
        vec![Command::BeginLink(Box::new(new))]
    }

    fn go_on(&mut self, session: &Session) -> Vec<Command> {
        if let Some(opening) = session.is.opening {
            return self.open(session, opening);
        }
        let mut commands = self.likely(session);
        if self.chance.percent(20) {
            let odd = self.odd_step();
            let at = usize::try_from(self.chance.below(commands.len() as u64 + 1)).unwrap();
            commands.insert(at, self.at(session, odd));
        }
        if self.chance.percent(10) {
            commands.remove(usize::try_from(self.chance.below(commands.len() as u64)).unwrap());
        }
        let linked = session.account.and_then(|n| self.till.model.accounts[n].id);
        if let (Some(account), true) = (linked, self.chance.percent(8)) {
            commands.push(Command::NewPage { account, page: self.secret() });
        }
        commands
    }

    /// The link opens, sometimes in two browsers.
    fn open(&mut self, session: &Session, opening: [u8; 32]) -> Vec<Command> {
        let opening = if self.chance.percent(85) { opening } else { self.secret() };
        let times = if self.chance.percent(20) { 2 } else { 1 };
        let id = session.id.unwrap();
        (0..times).map(|_| Command::OpenLink { id, opening, browser: self.secret() }).collect()
    }

    /// What comes next.
    fn likely(&mut self, session: &Session) -> Vec<Command> {
        let (is, now) = (&session.is, self.till.now().unwrap_or_default());
        let code = is.code.as_ref().filter(|one| now <= one.expires_at.ms() || self.chance.percent(30));
        if let Some(code) = code
            && self.chance.percent(85)
        {
            let mut commands = vec![self.show(session, code.hash, code.expires_at)];
            if self.chance.percent(60) {
                let yes = self.last_yes();
                commands.push(self.at(session, yes));
            }
            return commands;
        }
        let steps = if is.proof.is_some() || is.status != LinkStatus::Open {
            vec![self.last_yes()]
        } else if session.is_ready() {
            vec![self.code()]
        } else {
            self.gather()
        };
        steps.into_iter().map(|step| self.at(session, step)).collect()
    }

    /// A step in the session's browser, or in another.
    fn at(&mut self, session: &Session, step: LinkStep) -> Command {
        let own = session.is.browser.filter(|_| self.chance.percent(96));
        let browser = own.unwrap_or_else(|| self.secret());
        let id = session.id.unwrap();
        Command::StepLink { id, browser, step: Box::new(step) }
    }

    fn gather(&mut self) -> Vec<LinkStep> {
        let (typed, begun, stored) = (self.typed(), card_begun(0), self.card_stored(0));
        let mut steps = vec![typed, LinkStep::Mandate { version: 1 }, begun, stored];
        if self.chance.percent(70) {
            steps.push(self.code());
        }
        steps
    }

    fn typed(&mut self) -> LinkStep {
        let address = self.address();
        let (region, code) = if address.country == "US" { ("IL", "62701") } else { ("ON", "K1A 0B1") };
        let country = if self.chance.percent(5) { "XX".to_owned() } else { address.country.clone() };
        let (region, postal_code) = (Some(region.to_owned()), code.to_owned());
        let email = self.chance.percent(50).then(|| "jo@example.com".to_owned());
        LinkStep::Address { address: Address { region, postal_code, country, ..address }, email }
    }

    fn card_stored(&mut self, number: u64) -> LinkStep {
        LinkStep::CardStored { reference: format!("setup{number}"), method: self.method() }
    }

    fn code(&mut self) -> LinkStep {
        self.named += 1;
        let word = if self.chance.percent(50) { "link" } else { "unlink" };
        let tag = format!("{word}{:013}", self.named);
        let hash = code_hash(&tag);
        self.codes.insert(hash, tag);
        LinkStep::Code { hash }
    }

    fn last_yes(&mut self) -> LinkStep {
        LinkStep::Confirm { page: self.secret() }
    }

    fn odd_step(&mut self) -> LinkStep {
        let number = self.chance.below(2);
        match self.chance.below(9) {
            0 => self.typed(),
            1 => LinkStep::Mandate { version: 2 },
            2 => card_begun(number),
            3 => self.card_stored(number),
            4 => LinkStep::CardEnded { reference: format!("setup{number}") },
            5 => self.code(),
            6 => LinkStep::Cancel,
            _ => self.last_yes(),
        }
    }

    /// A code, mostly one that can still be posted.
    pub fn some_code(&mut self) -> Option<String> {
        let live = self.till.model.sessions.iter().filter_map(|one| one.is.code.as_ref());
        let live: Vec<_> = live.map(|code| self.codes[&code.hash].clone()).collect();
        let all: Vec<_> = self.codes.values().cloned().collect();
        let some = if live.is_empty() || self.chance.percent(40) { all } else { live };
        self.chance.pick(&some).cloned()
    }

    /// The code is posted: mostly by whom the session names, in time.
    fn show(&mut self, session: &Session, hash: [u8; 32], until: Time) -> Command {
        let mut post = self.post(vec![self.codes[&hash].clone()], None);
        let named = &session.is.handle;
        let user = (0..USERS).map(|user| format!("u{user}"));
        let user = user.clone().find(|user| alike(user, named) || alike(&format!("{user}2"), named));
        let user = user.unwrap_or_default();
        let handle = if alike(&user, named) { user.clone() } else { format!("{user}2") };
        let other = std::mem::replace(&mut post.author, Recipient { user_id: user, handle });
        let elsewhere = std::mem::replace(&mut post.network, session.is.network.clone());
        post.created_at = post.created_at.filter(|_| self.chance.percent(50));
        let added_to = session.account.filter(|_| !session.is.vouched);
        if let Some(account) = added_to
            && self.chance.percent(50)
            && let Some((network, user)) = self.till.model.accounts[account].identities.first().cloned()
        {
            post.author = Recipient { handle: user.clone(), user_id: user };
            post.network = network;
        }
        match self.chance.below(16) {
            0 => post.author = other,
            1 => post.network = elsewhere,
            2 => post.quote_of = Some("p1".to_owned()),
            3 => post.repost_of = Some("p1".to_owned()),
            4 => post.hashtags = self.some_code().into_iter().collect(),
            5 => post.hashtags.insert(0, self.tag(false)),
            6 => post.author.handle = format!("@{}", post.author.handle.to_uppercase()),
            7 => post.author.handle.push_str("@host"),
            8 => post.author.handle.push_str("@elsewhere"),
            9 | 10 => {
                let edges =
                    [session.is.created_at, session.is.created_at.plus_ms(-1), until, until.plus_ms(1)];
                post.created_at = self.chance.pick(&edges).copied();
            }
            _ => {}
        }
        self.posts.pop();
        self.posts.push(post.clone());
        Command::JudgePost(post)
    }
}

fn card_begun(number: u64) -> LinkStep {
    LinkStep::CardBegun(CardSetup { gateway: "sim".to_owned(), reference: format!("setup{number}") })
}
