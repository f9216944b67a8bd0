//! The playground of a sandbox in this process: its tokens, which die with the process, and how HTTP and it know of each
//! other.

use super::{Failure, failure};
use crate::client::Client;
use crate::engine::Handle;
use crate::http::{PlaygroundPage, hash_token, new_secret};
use crate::payments::Sandbox;
use crate::playground::{Bank, Playground, Setup};
use crate::till::command::Command;
use crate::till::id::PurchaseId;
use crate::till::role::Role;
use std::sync::Arc;

/// The tokens of a playground that is to be opened.
pub struct Tokens {
    network: &'static str,
    admin: String,
    bot: String,
}

impl Tokens {
    /// New ones, for a playground on this network.
    pub fn new(network: &'static str) -> Result<Self, Failure> {
        Ok(Self { network, admin: new_secret().map_err(failure)?, bot: new_secret().map_err(failure)? })
    }

    /// As the engine is given them.
    pub fn given(&self) -> [([u8; 32], Role); 2] {
        let bot = Role::Network(self.network.to_owned());
        [(hash_token(&self.admin), Role::Admin), (hash_token(&self.bot), bot)]
    }

    /// Opens the playground of the till at `url`.
    pub fn open(self, url: &str, handle: &Handle, sandbox: &Arc<Sandbox>) -> Result<Playground, Failure> {
        let (clock, sandbox, asked) = (handle.clone(), Arc::clone(sandbox), handle.clone());
        let bank: Bank = Box::new(move |purchase, charge, allow| {
            let answered = sandbox.answer_authentication(charge, allow);
            if let Some(purchase) = PurchaseId::parse(purchase).filter(|_| answered) {
                // The worker would see it by itself, only later.
                if let Err(unavailable) = asked.call(Command::LookAtCharge { purchase }) {
                    log::warn!("{purchase}: {}", unavailable.0);
                }
            }
            answered
        });
        Ok(Playground::new(Setup {
            network: self.network,
            admin: Client::new(url, &self.admin),
            bot: Client::new(url, &self.bot),
            now: Box::new(move || clock.now().to_string()),
            bank,
            run: format!("{:08x}", getrandom::u32().map_err(failure)?),
        }))
    }
}

impl PlaygroundPage for Playground {
    fn look(&self, known: &str) -> (String, Option<Arc<str>>) {
        Self::look(self, known)
    }

    fn act(&self, deed: &str, field: &dyn Fn(&str) -> String) -> Result<(), (u16, String)> {
        Self::act(self, deed, field).map_err(|not_done| (not_done.status, not_done.why))
    }
}
