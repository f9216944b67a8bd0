//! The model's word on what bridges and gateways report: replies, charges and refunds.

use super::model::{Attempt, Model, OWNER_MS, Refund, Reply, Seen};
use tagtill::till::command::{ChargeAnswer, Post, RefundAnswer};
use tagtill::till::id::{PurchaseId, RefundId, ReplyId};
use tagtill::till::record::{
    AttemptState, OrderStatus, PurchaseStatus, RefundStatus, ReplyKind, ReplyStatus,
};

impl Model {
    pub fn refund(&mut self, n: usize, amount: Option<i64>, restock: bool) -> bool {
        let purchase = &mut self.purchases[n];
        let left = purchase.price - purchase.back(|status| status != RefundStatus::Failed);
        let amount = amount.unwrap_or(left);
        let fine = purchase.status == PurchaseStatus::Paid
            && (1..=left).contains(&amount)
            && (!restock || amount == left && purchase.order == Some(OrderStatus::Unfulfilled));
        if fine {
            let late =
                |n: usize| purchase.refunds.iter().any(|refund| refund.automatic && refund.attempt == n);
            let attempt = (0..purchase.attempts.len())
                .find(|&n| purchase.attempts[n].state == AttemptState::Paid && !late(n))
                .unwrap_or(0);
            let status = RefundStatus::Pending;
            purchase.refunds.push(Refund { id: None, amount, restock, automatic: false, attempt, status });
        }
        fine
    }

    pub fn sent(&mut self, now: i64, id: ReplyId, post: &str, sent_at: Option<i64>) -> bool {
        let Some(reply) = self.replies.get(&id).cloned() else { return false };
        if reply.status == ReplyStatus::Sent {
            return reply.post.as_deref() == Some(post);
        }
        let confirms = |reply: &Reply| matches!(reply.kind, ReplyKind::Pending | ReplyKind::AlreadyPending);
        let taken = self.replies.iter().any(|(other, known)| {
            *other != id
                && known.network == reply.network
                && confirms(known)
                && known.purchase.is_some()
                && known.post.as_deref() == Some(post)
        });
        if taken {
            return false;
        }
        if let Some(known) = self.replies.get_mut(&id) {
            (known.status, known.post) = (ReplyStatus::Sent, Some(post.to_owned()));
        }
        self.spend_reply(&reply.network);
        let Some(n) = reply.purchase.and_then(|id| self.purchase_of(id)).filter(|_| confirms(&reply)) else {
            return true;
        };
        if reply.kind == ReplyKind::Pending {
            self.set_window(n, sent_at.unwrap_or(now).max(reply.queued_at).min(now));
        }
        let key = reply.account.map(|account| (reply.network.clone(), post.to_owned(), account));
        let early = key.and_then(|key| self.early.remove(&key));
        // Whoever is linked to another account by now confirms nothing of this one.
        let buyer = self.purchases[n].account;
        if let Some(early) = early.filter(|one| self.linked(&reply.network, &one.author) == Some(buyer)) {
            let author = tagtill::till::record::Recipient {
                user_id: early.author.clone(),
                handle: early.handle.clone(),
            };
            let repost = Post {
                network: reply.network.clone(),
                id: early.post.clone(),
                author,
                hashtags: Vec::new(),
                text: String::new(),
                created_at: None,
                repost_of: None,
                quote_of: None,
                to_us: None,
                language: None,
            };
            let (verdict, purchase) = self.confirm(early.made_at, &repost, Some(n));
            let judged = Some((early.author, verdict));
            self.posts.insert((reply.network, early.post), Seen { judged, purchase, deleted: false });
        }
        true
    }

    pub fn failed(&mut self, now: i64, id: ReplyId, retry: bool) -> bool {
        let Some(reply) = self.replies.get_mut(&id) else { return false };
        match reply.status {
            ReplyStatus::Sent => return false,
            ReplyStatus::Queued if !retry => reply.status = ReplyStatus::Failed,
            _ => return true,
        }
        let reply = reply.clone();
        if reply.kind == ReplyKind::Pending
            && let Some(n) = reply.purchase.and_then(|id| self.purchase_of(id))
        {
            self.set_window(n, now);
        }
        true
    }

    pub fn charged(&mut self, id: PurchaseId, number: u32, answer: &ChargeAnswer) -> bool {
        let Some(n) = self.purchase_of(id) else { return false };
        let Some(at) = (number as usize).checked_sub(1).filter(|at| *at < self.purchases[n].attempts.len())
        else {
            return false;
        };
        let over = match self.purchases[n].attempts[at].state {
            AttemptState::Paid => true,
            AttemptState::Declined(_) | AttemptState::Lost => *answer != ChargeAnswer::Paid,
            AttemptState::Waiting => matches!(answer, ChargeAnswer::Created(_) | ChargeAnswer::Lost),
            _ => false,
        };
        if over {
            return true;
        }
        if matches!(answer, ChargeAnswer::Unknown | ChargeAnswer::Lost | ChargeAnswer::NeedsOwner) {
            // It was asked all the same.
            self.purchases[n].waits = false;
        }
        let (capturing, now) = (self.purchases[n].status == PurchaseStatus::Capturing, self.now);
        let until = self.purchases[n].authenticate_by;
        let attempts = &mut self.purchases[n].attempts;
        match answer {
            ChargeAnswer::Created(_) => {
                attempts[at] = Attempt { state: AttemptState::Created, referenced: true }
            }
            ChargeAnswer::Unknown => {}
            ChargeAnswer::NeedsOwner => {
                if attempts[at].referenced && capturing && attempts[at].state != AttemptState::Waiting {
                    attempts[at].state = AttemptState::Waiting;
                    self.purchases[n].authenticate_by = Some(now + OWNER_MS);
                }
            }
            ChargeAnswer::Lost => {
                attempts[at].state = AttemptState::Lost;
                attempts.push(Attempt::new());
            }
            ChargeAnswer::Declined(code) => {
                let over =
                    attempts[at].state == AttemptState::Waiting && until.is_some_and(|until| now >= until);
                let code = if over && code == "canceled" { "authentication_expired" } else { code };
                attempts[at].state = AttemptState::Declined(code.to_owned());
                if self.purchases[n].status == PurchaseStatus::Capturing {
                    self.close(n, PurchaseStatus::Declined);
                }
            }
            ChargeAnswer::Paid => {
                attempts[at].state = AttemptState::Paid;
                self.paid(n, at);
            }
        }
        self.finish_erasing(self.purchases[n].account);
        true
    }

    pub fn refund_answered(&mut self, id: RefundId, answer: &RefundAnswer) -> bool {
        let place = self.purchases.iter().enumerate().find_map(|(n, purchase)| {
            let at = purchase.refunds.iter().position(|refund| refund.id == Some(id))?;
            Some((n, at))
        });
        let Some((n, at)) = place else { return false };
        let refund = &mut self.purchases[n].refunds[at];
        if refund.status != RefundStatus::Pending {
            return true;
        }
        match answer {
            RefundAnswer::Unknown => {}
            RefundAnswer::Failed(_) => refund.status = RefundStatus::Failed,
            RefundAnswer::Succeeded(_) => {
                refund.status = RefundStatus::Succeeded;
                if !refund.automatic {
                    self.refunded(n);
                }
            }
        }
        self.finish_erasing(self.purchases[n].account);
        true
    }
}
