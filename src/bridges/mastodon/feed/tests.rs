use super::*;
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// How a server reads `min_id` and `since_id`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Mastodon: `min_id` pages upward, and nothing else counts then.
    Upward,
    /// Both bound the list; `min_id` pages upward.
    Both,
    /// Only `since_id` is known, and pages from the top.
    Since,
}

/// The heaviest page that a server sends and we read.
const WEIGHT_MAX: u64 = 40;

/// A list whose ids are in no order that could be compared.
struct Server {
    way: Way,
    /// The oldest first.
    items: RefCell<Vec<Value>>,
    asked: RefCell<usize>,
    cap: usize,
    cursor: RefCell<Option<String>>,
}

fn name(number: usize) -> String {
    format!("{:x}", (number + 1) * 7919 % 10007)
}

fn item(number: usize, minute: i64) -> Value {
    json!({"id": name(number), "created_at": Time::from_ms(minute * 60_000)})
}

impl Server {
    fn new(way: Way, count: usize) -> Self {
        let items = (0..count).map(|number| item(number, 100)).collect();
        Self {
            way,
            items: RefCell::new(items),
            asked: RefCell::default(),
            cap: 40,
            cursor: RefCell::default(),
        }
    }
}

impl Pages for Server {
    fn page(&self, path: &str) -> Result<Vec<Value>, Trouble> {
        *self.asked.borrow_mut() += 1;
        let query: BTreeMap<&str, &str> =
            path.split(['?', '&']).filter_map(|pair| pair.split_once('=')).collect();
        let items = self.items.borrow();
        let place = |key| query.get(key).map(|id| items.iter().position(|one| one["id"] == **id).unwrap());
        let limit = query["limit"].parse::<usize>().unwrap().min(self.cap);
        let end = place("max_id").unwrap_or(items.len());
        let min = place("min_id").filter(|_| self.way != Way::Since).map(|place| place + 1);
        let since = place("since_id").map(|place| place + 1);
        let begin = min.or(since).unwrap_or(0).min(end);
        let within = &items[begin..end];
        let some = match min {
            Some(_) => &within[..within.len().min(limit)],
            None => &within[within.len().saturating_sub(limit)..],
        };
        let weight: u64 = some.iter().map(|one| one["weight"].as_u64().unwrap_or(1)).sum();
        if weight > WEIGHT_MAX {
            return Err(Trouble::new(Kind::Unreachable, "the response body is larger than request limit: 8"));
        }
        Ok(some.iter().rev().cloned().collect())
    }
}

impl Cursors for Server {
    fn cursor(&self, _: &str) -> Result<Option<String>, Trouble> {
        Ok(self.cursor.borrow().clone())
    }

    fn move_cursor(&self, _: &str, cursor: &str) -> Result<(), Trouble> {
        *self.cursor.borrow_mut() = Some(cursor.to_owned());
        Ok(())
    }
}

fn open(server: &Server) -> Feed {
    Feed::open(server, "/list?a=b".into(), "list".into()).unwrap()
}

fn names(taken: &[Value]) -> Vec<&str> {
    taken.iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn everything_above_the_cursor_is_taken_in_order_on_every_kind_of_server() {
    for way in [Way::Upward, Way::Both, Way::Since] {
        for (count, cap) in [(3, 40), (20, 40), (40, 40), (41, 40), (300, 40), (300, 20)] {
            let mut server = Server::new(way, count + 5);
            server.cap = cap;
            *server.cursor.borrow_mut() = Some(name(4));
            let mut taken = Vec::new();
            let mut take = |items: &[Value]| {
                taken.extend_from_slice(items);
                Ok(items.len())
            };
            let mut feed = open(&server);
            assert_eq!(feed.climb(&server, &server, &mut take).unwrap(), count, "{way:?}, {count}");
            assert_eq!(feed.climb(&server, &server, &mut take).unwrap(), 0);
            assert_eq!(names(&taken), (5..count + 5).map(name).collect::<Vec<_>>(), "{way:?}, {count}");
            assert_eq!(*server.cursor.borrow(), Some(name(count + 4)));
            assert!(*server.asked.borrow() < 50, "{way:?}, {count}: {}", server.asked.borrow());
        }
    }
}

#[test]
fn the_first_look_goes_back_as_far_as_it_may() {
    let server = Server::new(Way::Upward, 0);
    let items = (0..100).map(|number| item(number, i64::try_from(number).unwrap())).collect();
    *server.items.borrow_mut() = items;
    let mut taken = Vec::new();
    let mut take = |items: &[Value]| {
        taken.extend_from_slice(items);
        Ok(items.len())
    };
    let since = Time::from_ms(40 * 60_000);
    assert_eq!(open(&server).sweep(&server, &server, since, &mut take).unwrap(), 60);
    assert_eq!(names(&taken), (40..100).map(name).collect::<Vec<_>>());
    assert_eq!(*server.cursor.borrow(), Some(name(99)));
}

#[test]
fn what_is_sorted_in_below_the_cursor_is_found_by_sweeping() {
    let server = Server::new(Way::Both, 10);
    *server.cursor.borrow_mut() = Some(name(9));
    let mut feed = open(&server);
    server.items.borrow_mut().insert(5, item(50, 200));
    server.items.borrow_mut().push(item(51, 10));
    let mut taken = Vec::new();
    let mut take = |items: &[Value]| {
        taken.extend_from_slice(items);
        Ok(items.len())
    };
    feed.sweep(&server, &server, Time::from_ms(150 * 60_000), &mut take).unwrap();
    assert_eq!(names(&taken), [name(50), name(51)], "the late one, and what is above the cursor however old");
    assert_eq!(*server.cursor.borrow(), Some(name(51)));
}

#[test]
fn a_sweep_misses_nothing_between_the_cursor_and_the_newest_page() {
    let server = Server::new(Way::Upward, 200);
    *server.cursor.borrow_mut() = Some(name(9));
    let mut taken = Vec::new();
    let mut take = |items: &[Value]| {
        taken.extend(items.iter().filter(|item| !taken.contains(*item)).cloned().collect::<Vec<_>>());
        Ok(items.len())
    };
    open(&server).sweep(&server, &server, Time::from_ms(0), &mut take).unwrap();
    assert_eq!(names(&taken), (10..200).map(name).collect::<Vec<_>>());
}

#[test]
fn an_empty_list_has_no_cursor_and_what_comes_then_is_taken() {
    let server = Server::new(Way::Upward, 0);
    let mut feed = open(&server);
    let mut taken = Vec::new();
    let mut take = |items: &[Value]| {
        taken.extend_from_slice(items);
        Ok(items.len())
    };
    feed.climb(&server, &server, &mut take).unwrap();
    feed.sweep(&server, &server, Time::from_ms(0), &mut take).unwrap();
    assert_eq!(*server.cursor.borrow(), None);
    *server.items.borrow_mut() = (0..90).map(|number| item(number, 100)).collect();
    feed.climb(&server, &server, &mut take).unwrap();
    feed.sweep(&server, &server, Time::from_ms(0), &mut take).unwrap();
    assert_eq!(names(&taken), (0..90).map(name).collect::<Vec<_>>());
}

#[test]
fn what_was_not_taken_is_read_again() {
    let server = Server::new(Way::Upward, 5);
    *server.cursor.borrow_mut() = Some(name(1));
    let mut feed = open(&server);
    let refused = feed.climb(&server, &server, &mut |_| Err(Trouble::stopped()));
    assert_eq!(refused, Err(Trouble::stopped()));
    assert_eq!(*server.cursor.borrow(), Some(name(1)));
    assert_eq!(feed.climb(&server, &server, &mut |items| Ok(items.len())), Ok(3));
}

fn heavy(server: &Server, number: usize, weight: u64) {
    server.items.borrow_mut()[number]["weight"] = json!(weight);
}

#[test]
fn huge_posts_are_read_a_few_at_a_time() {
    for way in [Way::Upward, Way::Both, Way::Since] {
        let server = Server::new(way, 100);
        (0..100).for_each(|number| heavy(&server, number, 9));
        *server.cursor.borrow_mut() = Some(name(9));
        let mut taken = Vec::new();
        let mut take = |items: &[Value]| {
            taken.extend_from_slice(items);
            Ok(items.len())
        };
        assert_eq!(open(&server).climb(&server, &server, &mut take).unwrap(), 90);
        assert_eq!(names(&taken), (10..100).map(name).collect::<Vec<_>>(), "{way:?}");
    }
}

#[test]
fn what_is_too_large_to_be_read_is_passed_over() {
    for way in [Way::Upward, Way::Both, Way::Since] {
        let server = Server::new(way, 60);
        heavy(&server, 30, WEIGHT_MAX + 1);
        *server.cursor.borrow_mut() = Some(name(9));
        let mut taken = Vec::new();
        let mut take = |items: &[Value]| {
            taken.extend_from_slice(items);
            Ok(items.len())
        };
        let mut feed = open(&server);
        feed.climb(&server, &server, &mut take).unwrap();
        // Who only pages downward cannot get below it.
        let below = if way == Way::Since { 30..30 } else { 10..30 };
        let wanted: Vec<String> = below.chain(31..60).map(name).collect();
        assert_eq!(*server.cursor.borrow(), Some(name(59)));
        // Nothing above the newest is ever read as long as that is too large; what comes then is.
        server.items.borrow_mut().push(item(60, 100));
        heavy(&server, 60, WEIGHT_MAX + 1);
        let asked = *server.asked.borrow();
        assert_eq!(feed.sweep(&server, &server, Time::from_ms(i64::MAX), &mut take), Ok(0));
        assert!(*server.asked.borrow() < asked + 20);
        server.items.borrow_mut().push(item(61, 100));
        assert_eq!(feed.climb(&server, &server, &mut take), Ok(1));
        assert_eq!(names(&taken), [wanted, vec![name(61)]].concat(), "{way:?}");
    }
}

#[test]
fn an_answer_that_is_too_large_is_known_by_its_trouble() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
        let body = format!("[\"{}\"]", "x".repeat(9 * 1024 * 1024));
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    });
    let trouble = Api::new(base, String::new()).page("/list?a=b").unwrap_err();
    assert!(is_too_large(&trouble), "{trouble:?}");
}

#[test]
fn ids_that_are_none_are_not_asked_for_without_end() {
    for way in [Way::Upward, Way::Both, Way::Since] {
        let server = Server::new(way, 8);
        *server.cursor.borrow_mut() = Some(name(5));
        let odd = |id: Value| json!({"id": id, "created_at": Time::from_ms(6_000_000)});
        server.items.borrow_mut().extend([odd(json!(17)), odd(json!("a/b"))]);
        let mut feed = open(&server);
        for cursor in [7, 7] {
            feed.climb(&server, &server, &mut |items| Ok(items.len())).unwrap();
            assert_eq!(*server.cursor.borrow(), Some(name(cursor)), "{way:?}");
        }
        assert!(*server.asked.borrow() < 10, "{way:?}");
    }
}
