//! Frames of a firehose: what anybody's server says that anybody wrote.

use tagtill::bridges::Post;
use tagtill::bridges::bluesky::frame::{Commit, Frame};
use tagtill::bridges::bluesky::{Found, Wanted, filter};

/// Who the shop is in the frames that were recorded.
const OWN: &str = "did:plc:mwf364wbapg7qpc6rlcmgsrt";

/// The input is a message.
pub fn frames(data: &[u8]) {
    let wanted = Wanted::new(OWN, "teashop.test", ["buytea".to_owned()]);
    let nobody = Wanted::new("did:plc:nobody", "nobody.test", []);
    match Frame::read(data) {
        Ok(Frame::Commit(commit)) => {
            check(&commit, &wanted, data);
            check(&commit, &nobody, data);
        }
        Ok(Frame::Identity { did, .. }) => assert!(holds(data, did)),
        Ok(Frame::Info(name) | Frame::Error(name)) => assert!(holds(data, name)),
        Ok(Frame::Other(_)) | Err(_) => (),
    }
}

fn check(commit: &Commit<'_>, wanted: &Wanted, data: &[u8]) {
    let mut found = Vec::new();
    filter(commit, wanted, &mut found);
    assert!(found.len() <= commit.ops.len() && commit.ops.len() <= 200);
    assert!(found.is_empty() || commit.repo != wanted.own, "our own is never found");
    let author = format!("at://{}/", commit.repo);
    for one in &found {
        match one {
            Found::Post(post) => {
                whose(post, &author, data);
                let ours = |uri: &String| uri.starts_with(&format!("at://{}/", wanted.own));
                assert!(post.repost_of.iter().all(ours), "a repost of ours or none");
            }
            Found::Perhaps(post) => {
                whose(post, &author, data);
                assert!(post.text.contains(['#', '＃']) && !post.to_us && post.repost_of.is_none());
            }
            Found::Deleted(uri) => assert!(uri.starts_with(&author)),
            Found::Blocked(key) | Found::Unblocked(key) => {
                assert!(key.starts_with(&format!("{} ", commit.repo)));
            }
        }
    }
}

/// A post is its author's, and whatever it says was there.
fn whose(post: &Post, author: &str, data: &[u8]) {
    assert!(post.id.starts_with(author), "{} is not of {author}", post.id);
    assert_eq!(format!("at://{}/", post.author.user_id), author);
    assert!(post.author.handle.is_empty() && post.created_at.is_none());
    assert!(post.text.len() <= 3000 && holds(data, &post.text));
    for said in [&post.lang, &post.quote_of, &post.in_reply_to, &post.repost_of].into_iter().flatten() {
        assert!(said.len() <= 1024 && holds(data, said));
    }
}

fn holds(data: &[u8], text: &str) -> bool {
    text.is_empty() || data.windows(text.len()).any(|some| some == text.as_bytes())
}
