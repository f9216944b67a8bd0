//! Lines about linking: sessions, their steps, and how they stand.

use crate::things::{address, card};
use crate::words::Words;
use crate::world::World;
use tagtill::till::command::{Command, LinkStep, NewLink, Outcome};
use tagtill::till::link::code_hash;
use tagtill::till::record::{Address, CardSetup, LinkPurpose, LinkRecord, LinkStatus};
use tagtill::till::refusal::Fault;
use tagtill::till::state::Read as _;
use tagtill::till::table::{Accounts, LinkSessions};
use tagtill::till::text::fold;

/// What a browser of that name holds.
fn browser(name: &str) -> [u8; 32] {
    code_hash(name)
}

impl World {
    /// `session s1 for alice on x`, `… to unlink`, `… to erase`, `… into bob`, `… by a link`
    pub fn session(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        let name = words.must("a session's name")?.to_owned();
        words.take("for");
        let handle = words.must("a handle")?.to_owned();
        words.take("on");
        let network = words.must("a network")?.to_owned();
        let purpose = match () {
            () if words.take("to unlink") => LinkPurpose::Unlink,
            () if words.take("to erase") => LinkPurpose::Erase,
            () => LinkPurpose::Link,
        };
        let account = if words.take("into") { Some(self.buyer(words.must("a buyer")?)?) } else { None };
        let by_link = words.take("by a link");
        let (opening, holds) =
            if by_link { (Some(browser("link")), None) } else { (None, Some(browser(&name))) };
        let new = NewLink { purpose, network, handle, opening, browser: holds, account };
        match self.apply(&Command::BeginLink(Box::new(new))) {
            Ok(Outcome::Link(id)) => {
                self.links.insert(name, id);
                Ok("done".to_owned())
            }
            Err(Fault::Refused(refusal)) => Ok(format!("refused: {}", refusal.detail)),
            other => Err(format!("{other:?}")),
        }
    }

    /// `step s1 address US`, `agrees`, `begins c1`, `stores c1 tok_visa`, `loses c1`, `code Linkabc…`, `confirms as ann`,
    /// `stops`, `opens`; `in another browser` at the end.
    pub fn step(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        let name = words.must("a session's name")?.to_owned();
        let id = *self.links.get(&name).ok_or("there is no such session")?;
        let mut as_whom = None;
        let step = match words.must("a step")? {
            "opens" => None,
            "address" => {
                let address = Address { region: Some("IL".to_owned()), ..address(words.must("a country")?) };
                Some(LinkStep::Address { address, email: None })
            }
            "agrees" => Some(LinkStep::Mandate { version: 1 }),
            "begins" => Some(LinkStep::CardBegun(CardSetup {
                gateway: "sandbox".to_owned(),
                reference: words.must("a card's name")?.to_owned(),
            })),
            "loses" => Some(LinkStep::CardEnded { reference: words.must("a card's name")?.to_owned() }),
            "stores" => {
                let reference = words.must("a card's name")?.to_owned();
                Some(LinkStep::CardStored { reference, method: card(words.must("a card")?) })
            }
            "code" => Some(LinkStep::Code { hash: code_hash(&fold(words.must("a hashtag")?)) }),
            "confirms" => {
                if words.take("as") {
                    as_whom = Some(words.must("a buyer")?.to_owned());
                }
                Some(LinkStep::Confirm { page: browser("page") })
            }
            "stops" => Some(LinkStep::Cancel),
            other => return Err(format!("nobody knows the step {other:?}")),
        };
        let holds = if words.take("in another browser") { browser("another") } else { browser(&name) };
        let command = match step {
            None => Command::OpenLink { id, opening: browser("link"), browser: holds },
            Some(step) => Command::StepLink { id, browser: holds, step: Box::new(step) },
        };
        match self.apply(&command) {
            Ok(_) => {}
            Err(Fault::Refused(refusal)) => return Ok(format!("refused: {}", refusal.detail)),
            Err(Fault::State(error)) => return Err(error.to_string()),
        }
        if let Some(buyer) = as_whom {
            let account = self.link(&name)?.account.ok_or("nothing was linked")?;
            self.buyers.insert(buyer, account);
        }
        Ok("done".to_owned())
    }

    fn link(&mut self, name: &str) -> Result<LinkRecord, String> {
        let id = *self.links.get(name).ok_or("there is no such session")?;
        let tx = self.batch.as_mut().unwrap().begin();
        tx.get::<LinkSessions>(&id).unwrap().ok_or_else(|| "it is forgotten".to_owned())
    }

    /// `linking s1 is open`, `proven by alice`, `done`, `cancelled`, `forgotten`
    pub fn link_stands(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        let name = words.must("a session's name")?.to_owned();
        Ok(match self.link(&name) {
            Err(_) => "is forgotten".to_owned(),
            Ok(record) => match (record.status, record.proof) {
                (LinkStatus::Open, Some(proof)) => format!("is proven by {}", proof.author.user_id),
                (LinkStatus::Open, None) => "is open".to_owned(),
                (LinkStatus::Done, _) => "is done".to_owned(),
                (LinkStatus::Cancelled, _) => "is cancelled".to_owned(),
            },
        })
    }

    /// `card of alice is tok_visa, in US, agreed, with a page, linked on x bluesky`
    pub fn card_of(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        words.take("of");
        let id = self.buyer(words.must("a buyer")?)?;
        let account = self.batch.as_mut().unwrap().begin().must::<Accounts>(&id).unwrap();
        let Some(person) = account.person else { return Ok("is forgotten".to_owned()) };
        let networks: Vec<_> = person.identities.iter().map(|one| one.network.as_str()).collect();
        Ok(format!(
            "is {}, in {}{}{}, linked on {}",
            person.payment_method.token,
            person.billing_address.country,
            if account.mandate.is_some() { ", agreed" } else { "" },
            if account.page.is_some() { ", with a page" } else { "" },
            networks.join(" ")
        ))
    }
}
