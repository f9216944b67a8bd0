//! Lines about what a provider tells by itself, and about the books.

use crate::words::Words;
use crate::world::World;
use std::ops::ControlFlow;
use tagtill::till::command::{ChargeAnswer, Command};
use tagtill::till::dispute::DisputeReport;
use tagtill::till::journal::balance_key;
use tagtill::till::money::Currency;
use tagtill::till::notice::{ChargeReport, NoticeAnswer};
use tagtill::till::record::{DisputeStatus, RefundStatus};
use tagtill::till::refund::RefundReport;
use tagtill::till::state::{Direction, Read as _, Span};
use tagtill::till::table::{Balances, Journal, Notices};

impl World {
    /// `provider tells e1` : its event arrives. `provider shows alice Shirt paid as pay_1, refund re_1 5.00 USD succeeded,
    /// dispute dp_1 15.00 USD open`: what comes of asking about the newest one.
    pub fn provider(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        if words.take("tells") {
            let (gateway, about) = ("sandbox".to_owned(), "pay_1".to_owned());
            return Ok(Command::TakeNotice { gateway, event: words.must("an event")?.to_owned(), about });
        }
        let tx = self.batch.as_mut().unwrap().begin();
        let mut notice = None;
        tx.scan::<Notices>(&Span::all(), Direction::Down, |id, _| {
            notice = Some(id);
            ControlFlow::Break(())
        })
        .unwrap();
        let notice = notice.ok_or("no event has arrived")?;
        if words.take("is unsure") {
            return Ok(Command::NoticeAnswered { notice, answer: NoticeAnswer::Unknown });
        }
        if words.take("knows nothing") {
            return Ok(Command::NoticeAnswered { notice, answer: NoticeAnswer::Nothing });
        }
        drop(tx);
        words.take("shows");
        let (purchase, record) = self.purchase(words)?;
        let answer = match words.must("how it stands")? {
            "paid" => ChargeAnswer::Paid,
            "declined" => ChargeAnswer::Declined("card_declined".to_owned()),
            "open" => ChargeAnswer::Unknown,
            other => return Err(format!("no charge stands {other:?}")),
        };
        let attempt = if words.take("attempt") { words.number()? } else { 1 };
        let reference = if words.take("as") { words.must("a reference")? } else { "pay_1" }.to_owned();
        let money = if words.take("of") { words.money()? } else { record.price };
        let (mut refunds, mut disputes) = (Vec::new(), Vec::new());
        while !words.0.trim().is_empty() {
            if words.take("refund") {
                let reference = words.must("a reference")?.to_owned();
                let number: usize = if words.take("ours") { words.number()? } else { 0 };
                let own = number.checked_sub(1).and_then(|at| record.refunds.get(at).copied());
                let amount = words.money()?;
                let status = match words.must("how it stands")? {
                    "succeeded" => RefundStatus::Succeeded,
                    "failed" => RefundStatus::Failed,
                    _ => RefundStatus::Pending,
                };
                refunds.push(RefundReport { reference, own, amount, status });
            } else if words.take("dispute") {
                let reference = words.must("a reference")?.to_owned();
                let amount = words.money()?;
                let status = match words.must("how it stands")? {
                    "inquiry" => DisputeStatus::Inquiry,
                    "won" => DisputeStatus::Won,
                    "lost" => DisputeStatus::Lost,
                    _ => DisputeStatus::Open,
                };
                disputes.push(DisputeReport { reference, amount, reason: "fraudulent".to_owned(), status });
            } else {
                return Err(format!("what is {:?}?", words.0));
            }
        }
        let report = ChargeReport { purchase, attempt, reference, money, answer, refunds, disputes };
        Ok(Command::NoticeAnswered { notice, answer: NoticeAnswer::Charge(Box::new(report)) })
    }

    /// `books of shop: charge 1500, refund 500; 1000 due`: all entries in order, and what the merchant is due.
    pub fn books(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        words.take("of");
        let merchant = words.must("a merchant")?.trim_end_matches(':');
        let merchant = *self.merchants.get(merchant).ok_or("there is no such merchant")?;
        let tx = self.batch.as_mut().unwrap().begin();
        let entries = tx.first::<Journal>(&Span::all(), 1000).unwrap().into_iter();
        let own = entries.filter(|(_, entry)| entry.merchant == merchant);
        let own: Vec<_> = own.map(|(_, entry)| format!("{} {}", entry.kind.word(), entry.amount())).collect();
        let balance = tx.get::<Balances>(&balance_key(merchant, Currency::USD)).unwrap().unwrap_or_default();
        Ok(format!("{}; {} due", own.join(", "), balance.due()))
    }
}
