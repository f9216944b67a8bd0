//! What people post, repost, edit and delete.

use super::deeds::{NETWORKS, SIZES, USERS};
use super::world::World;
use tagtill::engine::TimeSource as _;
use tagtill::till::command::{Command, Post};
use tagtill::till::record::{PurchaseStatus, Recipient};
use tagtill::till::time::Time;

impl World {
    fn author(&mut self) -> (String, Recipient) {
        let network = *self.chance.pick(NETWORKS).unwrap_or(&"x");
        let user = format!("u{}", self.chance.below(USERS));
        (network.to_owned(), Recipient { user_id: user.clone(), handle: user })
    }

    /// When a post says that it was made: mostly now, sometimes long ago or not yet.
    pub fn made_at(&mut self) -> Option<Time> {
        let now = self.till.clocks.wall_ms() + self.till.model.offset_ms;
        let back = match self.chance.below(20) {
            0..9 => return None,
            9..15 => self.chance.within(0, 5_000),
            15..18 => self.chance.within(5_000, 1_800_000),
            18 => self.chance.within(1_800_000, 5_400_000),
            _ => self.chance.within(-600_000, 0),
        };
        Some(Time::from_ms(now - back))
    }

    pub fn post(&mut self, hashtags: Vec<String>, repost_of: Option<String>) -> Post {
        let (network, author) = self.author();
        self.named += 1;
        let id = format!("p{}", self.named);
        let created_at = self.made_at();
        let text = self.words();
        let languages = [None, Some("en"), Some("de"), Some("ja"), Some("pt")];
        let language = self.chance.pick(&languages).copied().flatten().map(str::to_owned);
        let mut post = Post {
            network,
            id,
            author,
            hashtags,
            text,
            created_at,
            repost_of,
            quote_of: None,
            to_us: None,
            language,
        };
        if self.chance.percent(2) {
            post.author.handle.push('2');
        }
        self.posts.push(post.clone());
        post
    }

    /// What somebody says beside a hashtag: mostly a size, often an amount.
    fn words(&mut self) -> String {
        let mut words = vec!["please"];
        words.extend(self.chance.percent(70).then(|| *self.chance.pick(SIZES).unwrap_or(&"s")));
        words.extend(self.chance.percent(8).then_some("l"));
        words.extend(
            self.chance.percent(40).then(|| *self.chance.pick(&["x1", "x2", "x3", "x9"]).unwrap_or(&"x2")),
        );
        words.extend(self.chance.percent(30).then_some("@shop"));
        words.join(" ")
    }

    /// Somebody changes their mind: mostly who has something to let go.
    pub fn pass(&mut self) -> Command {
        let Command::JudgePost(mut post) = self.confirm() else { unreachable!() };
        let offers = &self.till.model.offers;
        let aimed = offers.iter().find(|offer| post.hashtags.contains(&offer.confirm));
        post.hashtags = vec![aimed.map_or_else(String::new, |offer| offer.cancel.clone())];
        let model = &self.till.model;
        let lines: Vec<_> = model
            .waiting
            .iter()
            .map(|one| (one.post.0.clone(), one.user.clone(), model.offers[one.offer].cancel.clone()))
            .collect();
        if self.chance.percent(40)
            && let Some((network, user, tag)) = self.chance.pick(&lines).cloned()
        {
            post.network = network;
            post.author = Recipient { user_id: user.clone(), handle: user };
            post.hashtags = vec![tag];
        }
        self.posts.pop();
        self.posts.push(post.clone());
        Command::JudgePost(post)
    }

    pub fn tag(&mut self, confirm: bool) -> String {
        let tags: Vec<_> = self
            .till
            .model
            .offers
            .iter()
            .map(|offer| if confirm { offer.confirm.clone() } else { offer.buy.clone() })
            .collect();
        self.chance.pick(&tags).cloned().unwrap_or_default()
    }

    pub fn buy(&mut self) -> Command {
        let mut tags = vec![self.tag(false)];
        if self.chance.percent(10) {
            let confirm = self.chance.percent(70);
            tags.push(self.tag(confirm));
        }
        let deals: Vec<_> = self.till.model.deals.iter().map(|deal| deal.tag.clone()).collect();
        if self.chance.percent(25)
            && let Some(deal) = self.chance.pick(&deals)
        {
            let at = usize::try_from(self.chance.below(tags.len() as u64 + 1)).unwrap();
            tags.insert(at, deal.clone());
        }
        if self.chance.percent(12) {
            // A slip of the thumb, often in the last letter: there, one offer's hashtag is as near as another's.
            let at = if self.chance.percent(50) { 8 } else { usize::try_from(self.chance.below(9)).unwrap() };
            for tag in tags.iter_mut().filter(|tag| tag.len() > at) {
                match self.chance.below(3) {
                    0 => drop(tag.remove(at)),
                    1 => tag.insert(at, 'q'),
                    _ => tag.replace_range(at..=at, "q"),
                }
            }
        }
        if self.chance.percent(8) {
            tags.insert(0, "justatag".to_owned());
        }
        Command::JudgePost(self.post(tags, None))
    }

    /// Mostly by somebody who has something to confirm.
    pub fn confirm(&mut self) -> Command {
        let tag = self.tag(true);
        let mut post = self.post(vec![tag], None);
        let model = &self.till.model;
        let open: Vec<_> = model
            .purchases
            .iter()
            .filter(|one| matches!(one.status, PurchaseStatus::Pending | PurchaseStatus::Expired))
            .map(|one| {
                (model.accounts[one.account].identities.clone(), model.offers[one.offer].confirm.clone())
            })
            .collect();
        if self.chance.percent(80)
            && let Some((identities, tag)) = self.chance.pick(&open[open.len().saturating_sub(4)..]).cloned()
            && let Some((network, user)) = self.chance.pick(&identities).cloned()
        {
            post.network = network;
            post.author = Recipient { user_id: user.clone(), handle: user };
            post.hashtags = vec![tag];
            self.posts.pop();
            self.posts.push(post.clone());
        }
        Command::JudgePost(post)
    }

    /// A repost of one of our replies, before or after its bridge has said which post it is.
    pub fn repost(&mut self) -> Option<Command> {
        let model = &self.till.model;
        let replies: Vec<_> = model.replies.iter().map(|(id, reply)| (*id, reply.clone())).collect();
        let (id, reply) = self.chance.pick(&replies[replies.len().saturating_sub(8)..]).cloned()?;
        let original = reply.post.clone().unwrap_or_else(|| format!("r{id}"));
        let mut post = self.post(vec![], Some(original));
        let buyer = self.till.model.accounts.iter().find(|one| one.id == reply.account);
        let theirs = buyer
            .and_then(|one| one.identities.iter().find(|(network, _)| *network == reply.network))
            .cloned();
        if let (true, Some((network, user))) = (self.chance.percent(85), theirs) {
            post.network = network;
            post.author = Recipient { user_id: user.clone(), handle: user };
            self.posts.pop();
            self.posts.push(post.clone());
        }
        Some(Command::JudgePost(post))
    }

    /// A post that was delivered before: the same, edited, or claimed by somebody else.
    pub fn again(&mut self) -> Option<Command> {
        let mut post = self.chance.pick(&self.posts).cloned()?;
        match self.chance.below(10) {
            0 => post.hashtags = vec![self.tag(false)],
            1 => post.hashtags = vec![self.tag(true)],
            2 => post.author = self.author().1,
            3 => post.created_at = self.made_at(),
            4 => post.hashtags.extend(self.some_code()),
            _ => {}
        }
        Some(Command::JudgePost(post))
    }

    /// A post is deleted, also one that has not arrived yet.
    pub fn delete(&mut self) -> Command {
        let known = self.chance.pick(&self.posts[self.posts.len().saturating_sub(10)..]).cloned();
        match known {
            Some(post) if self.chance.percent(80) => {
                Command::DeletePost { network: post.network, id: post.id }
            }
            _ => {
                let (network, _) = self.author();
                let id = format!("p{}", self.named + 1 + self.chance.below(3));
                Command::DeletePost { network, id }
            }
        }
    }
}
