//! The posts, in threads: who bought, what the shop answered, what they posted then. Bounded: the oldest threads make
//! way.

use super::stage::Ready;
use std::collections::HashSet;

/// Posts and replies that are kept.
const POSTS_MAX: usize = 300;

/// A post or a reply.
#[derive(Clone, Debug)]
pub struct Post {
    /// The network's id of it.
    pub id: String,
    /// The post that its thread began with.
    pub thread: String,
    /// Who made it.
    pub author: Author,
    /// Whom the shop answers.
    pub to: Option<String>,
    /// The words.
    pub text: String,
    /// When, by the till's clock.
    pub at: String,
    /// What it reposts.
    pub repost_of: Option<String>,
    /// What the till decided, and why; none of the shop's replies is judged.
    pub verdict: Option<(String, String)>,
    /// The purchase that it is about.
    pub purchase: Option<String>,
    /// Whether its author has deleted it.
    pub deleted: bool,
    /// Whether it was there before anybody looked.
    pub story: bool,
}

/// Who made a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The shop's bot.
    Shop,
    /// Somebody, by the network's id of them.
    Person(String),
}

/// A post of a story, for a playground that begins with one.
#[derive(Clone, Debug)]
pub struct Told {
    /// The network's id of it.
    pub id: String,
    /// The network's id of whoever made it; `None`: the shop.
    pub author: Option<String>,
    /// The words.
    pub text: String,
    /// When.
    pub at: String,
    /// What it reposts.
    pub repost_of: Option<String>,
    /// What the till decided, as a code and in a sentence.
    pub verdict: (String, String),
    /// The purchase that it is about.
    pub purchase: Option<String>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// What the shop answered.
    pub replies: Vec<Said>,
}

/// A reply that is out.
#[derive(Clone, Debug)]
pub struct Said {
    /// The network's id of it.
    pub id: String,
    /// The post that it answers.
    pub in_reply_to: String,
    /// The words.
    pub text: String,
    /// When it was out.
    pub at: String,
    /// The purchase that it is about.
    pub purchase: Option<String>,
}

/// All posts, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    posts: Vec<Post>,
}

impl Feed {
    /// A feed that begins with a story.
    pub fn of_story(told: Vec<Told>, ready: &Ready) -> Self {
        let mut feed = Self::default();
        for one in told {
            let author = match one.author {
                Some(user_id) => Author::Person(user_id),
                None => Author::Shop,
            };
            feed.add(Post {
                id: one.id,
                thread: String::new(),
                author,
                to: None,
                text: one.text,
                at: one.at,
                repost_of: one.repost_of,
                verdict: Some(one.verdict),
                purchase: one.purchase,
                deleted: one.deleted,
                story: true,
            });
            one.replies.into_iter().for_each(|said| feed.reply(said));
        }
        debug_assert!(feed.posts.iter().all(|post| match &post.author {
            Author::Person(user_id) => ready.person(user_id).is_some(),
            Author::Shop => true,
        }));
        feed.posts.iter_mut().for_each(|post| post.story = true);
        feed
    }

    /// Adds a post; its thread is that of what it reposts, or of the purchase that it is about.
    pub fn add(&mut self, mut post: Post) {
        let by_repost = post.repost_of.as_deref().and_then(|id| self.find(id)).filter(|one| one.to.is_some());
        let by_purchase = || {
            let purchase = post.purchase.as_ref()?;
            self.posts.iter().find(|one| one.purchase.as_ref() == Some(purchase))
        };
        let thread = by_repost.or_else(by_purchase).map(|one| one.thread.clone());
        post.thread = thread.unwrap_or_else(|| post.id.clone());
        self.posts.push(post);
        self.make_room();
    }

    /// Adds a reply to one of its posts; to none, it is nothing.
    pub fn reply(&mut self, said: Said) {
        let Some(post) = self.find(&said.in_reply_to) else { return };
        let Author::Person(to) = &post.author else { return };
        let reply = Post {
            id: said.id,
            thread: post.thread.clone(),
            author: Author::Shop,
            to: Some(to.clone()),
            text: said.text,
            at: said.at,
            repost_of: None,
            verdict: None,
            purchase: said.purchase,
            deleted: false,
            story: false,
        };
        self.posts.push(reply);
        self.make_room();
    }

    /// A post by its id.
    pub fn find(&self, id: &str) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id)
    }

    /// Notes that one was deleted.
    pub fn delete(&mut self, id: &str) {
        if let Some(post) = self.posts.iter_mut().find(|post| post.id == id) {
            post.deleted = true;
        }
    }

    /// Forgets what was posted here; a story stays.
    pub fn start_over(&mut self) {
        self.posts.retain(|post| post.story);
    }

    /// Whole threads, by their first posts, the one with the newest post first.
    pub fn threads(&self) -> Vec<(&str, Vec<&Post>)> {
        let mut seen = HashSet::new();
        let newest = self.posts.iter().rev().filter(|post| seen.insert(post.thread.as_str()));
        newest
            .map(|last| {
                let thread = last.thread.as_str();
                (thread, self.posts.iter().filter(|post| post.thread == thread).collect())
            })
            .collect()
    }

    /// The threads in which nothing was said for longest go, whole.
    fn make_room(&mut self) {
        while self.posts.len() > POSTS_MAX
            && let [_, .., (quietest, _)] = self.threads().as_slice()
        {
            let quietest = (*quietest).to_owned();
            self.posts.retain(|post| post.thread != quietest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(id: &str, purchase: Option<&str>, repost_of: Option<&str>) -> Post {
        Post {
            id: id.to_owned(),
            thread: String::new(),
            author: Author::Person("mara".to_owned()),
            to: None,
            text: String::new(),
            at: String::new(),
            repost_of: repost_of.map(str::to_owned),
            verdict: None,
            purchase: purchase.map(str::to_owned),
            deleted: false,
            story: false,
        }
    }

    fn reply(id: &str, in_reply_to: &str) -> Said {
        Said {
            id: id.to_owned(),
            in_reply_to: in_reply_to.to_owned(),
            text: String::new(),
            at: String::new(),
            purchase: None,
        }
    }

    fn shape(feed: &Feed) -> Vec<Vec<&str>> {
        let ids = |posts: Vec<&'_ Post>| posts.iter().map(|post| post.id.as_str().to_owned()).collect();
        let threads: Vec<Vec<String>> = feed.threads().into_iter().map(|(_, posts)| ids(posts)).collect();
        threads.into_iter().map(|ids| ids.into_iter().map(|id| &*id.leak()).collect()).collect()
    }

    #[test]
    fn a_purchase_and_what_belongs_to_it_are_one_thread_and_come_up_together() {
        let mut feed = Feed::default();
        feed.add(post("a", Some("1"), None));
        feed.reply(reply("a2", "a"));
        feed.add(post("b", None, None));
        assert_eq!(shape(&feed), [vec!["b"], vec!["a", "a2"]]);
        feed.add(post("c", None, Some("a2")));
        feed.add(post("d", Some("1"), None));
        feed.reply(reply("x", "somebody-elses"));
        assert_eq!(shape(&feed), [vec!["a", "a2", "c", "d"], vec!["b"]]);
    }

    #[test]
    fn the_oldest_threads_make_way() {
        let mut feed = Feed::default();
        for number in 0..POSTS_MAX * 2 {
            feed.add(post(&number.to_string(), None, None));
        }
        assert_eq!(feed.posts.len(), POSTS_MAX);
        assert_eq!(feed.posts[0].id, POSTS_MAX.to_string());
    }

    #[test]
    fn a_thread_to_which_something_was_said_just_now_stays() {
        let mut feed = Feed::default();
        feed.add(post("first", Some("1"), None));
        for number in 1..POSTS_MAX {
            feed.add(post(&number.to_string(), None, None));
        }
        feed.add(post("last", Some("1"), None));
        assert_eq!(shape(&feed)[0], ["first", "last"]);
        assert!(feed.posts.iter().all(|post| post.id != "1"), "another made way");
    }
}
