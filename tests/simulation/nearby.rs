//! The model's word on near misses: one typing error, counted letter by letter; and on who may be answered at all.

use super::model::Model;
use tagtill::till::command::Post;
use tagtill::till::record::OfferStatus;

impl Model {
    /// Whether somebody who made such a post may be answered; it is noted where not.
    pub fn may_answer(&mut self, post: &Post) -> bool {
        let mentions = post.repost_of.is_none() && post.text.contains("@shop");
        let may = !self.mention_needed || post.network != "x" || mentions;
        let name = (post.network.clone(), post.id.clone());
        if may {
            self.unmentioned.remove(&name);
        } else {
            self.unmentioned.insert(name);
        }
        may
    }

    /// Whether a hashtag is one error away from exactly one live hashtag.
    pub fn is_near(&self, now: i64, tag: &str) -> bool {
        let offers = self.offers.iter().filter(|one| is_live(one.status, one.ends_at, now));
        let offers = offers.flat_map(|one| [&one.buy, &one.confirm, &one.cancel]);
        let deals = self.deals.iter().filter(|one| is_live(one.status, one.ends_at, now)).map(|one| &one.tag);
        let near = offers.chain(deals).filter(|other| errors(tag, other) == 1 && other.len() >= 6);
        tag.len() >= 6 && near.count() == 1
    }
}

fn is_live(status: OfferStatus, ends_at: Option<i64>, now: i64) -> bool {
    status != OfferStatus::Ended && ends_at.is_none_or(|end| now < end)
}

/// The optimal string alignment distance, by its table.
fn errors(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut least =
                    (table[i - 1][j] + 1).min(table[i][j - 1] + 1).min(table[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(table[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    table[a.len()][b.len()]
}
