//! Many posts in one body, one a line: each line for itself.

use tagtill::http::{Problem, posts_in};
use tagtill::till::command::Post;

/// The input is a body of lines.
pub fn posts(data: &[u8]) {
    let whole = read(None, data);
    let lines: Vec<&[u8]> = match data.strip_suffix(b"\n").unwrap_or(data) {
        [] => Vec::new(),
        body => body.split(|&byte| byte == b'\n').collect(),
    };
    assert_eq!(whole.len(), lines.len(), "one answer a line");
    for (line, post) in lines.iter().zip(&whole) {
        // Alone, an empty line is an empty body; among others it is a bad line.
        if !line.is_empty() {
            assert_eq!(read(None, line).first(), Some(post), "a line alone is what it is among others");
        }
        if let Ok(post) = post {
            taken(line, post);
        }
    }
    // What a network's own token may say, it may say in the same words; the rest of its lines are refused.
    for (own, any) in read(Some("sandbox"), data).iter().zip(&whole) {
        match any {
            Ok(post) if post.network == "sandbox" => assert_eq!(own, any),
            _ => assert!(own.is_err()),
        }
    }
    let mut longer = b"{\n".to_vec();
    longer.extend_from_slice(data);
    if !data.is_empty() {
        let longer = read(None, &longer);
        assert!(longer[0].is_err());
        if data != b"\n" {
            assert_eq!(longer[1..], whole, "a bad line stops nobody else's");
        }
    }
}

fn read(network: Option<&str>, body: &[u8]) -> Vec<Result<Post, Problem>> {
    posts_in(network, body).collect()
}

/// A post that was taken is JSON to others, too, and says what it says.
fn taken(line: &[u8], post: &Post) {
    let json: serde_json::Value = serde_json::from_slice(line).unwrap();
    assert_eq!(json["network"], *post.network);
    assert_eq!(json["id"], *post.id);
    assert_eq!(json["author"]["user_id"], *post.author.user_id);
    assert!((1..=512).contains(&post.id.len()));
    assert!(post.hashtags.len() <= 100);
    let text = json["text"].as_str().unwrap();
    assert!(text.len() <= 64 * 1024);
    assert!(post.hashtags.is_empty() || text.contains(['#', '＃']));
}
