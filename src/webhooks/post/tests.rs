use super::*;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

/// A name server that says something else each time: the last answer stays.
#[derive(Clone, Debug)]
struct Says {
    answers: Arc<Mutex<Vec<Vec<SocketAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Says {
    fn new(answers: &[&[SocketAddr]]) -> Self {
        let answers = answers.iter().rev().map(|one| one.to_vec()).collect();
        Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }
}

impl Resolver for Says {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        let now = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        let mut found = self.empty();
        for address in now.unwrap() {
            found.push(address);
        }
        Ok(found)
    }
}

/// A receiver that does with each connection what it is told, once it has read the head of the request.
fn receiver(does: impl Fn(&mut TcpStream) + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            does(&mut stream);
        }
    });
    (address, seen)
}

fn fine(stream: &mut TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

fn send(sender: &Sender, url: &str) -> Came {
    sender.send(&Parcel { url, id: "evt_1", timestamp: 1, signature: "v1,x", body: b"{}" })
}

fn private() -> SocketAddr {
    "10.0.0.1:80".parse().unwrap()
}

#[test]
fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    let (checked, first) = receiver(fine);
    let (other, second) = receiver(fine);
    // No such name is known here: nobody but this name server can say where it leads. Asked again, it says otherwise.
    let names = Says::new(&[&[checked], &[private(), other]]);
    let sender = Sender::with(Checked::new(names.clone(), true), TIMEOUT);
    assert_eq!(send(&sender, "http://rebinding.invalid/").status, Ok(200));
    assert_eq!((first.load(Ordering::Relaxed), names.asked.load(Ordering::Relaxed)), (1, 1));
    let refused = send(&sender, "http://rebinding.invalid/").status.unwrap_err();
    assert!(refused.contains("may not be dialled"), "{refused}");
    assert_eq!((first.load(Ordering::Relaxed), second.load(Ordering::Relaxed)), (1, 0));
}

#[test]
fn one_address_that_may_not_be_dialled_spoils_all_of_a_name() {
    let (here, seen) = receiver(fine);
    for (answer, loopback) in
        [(vec![here, private()], true), (vec![private(), here], true), (vec![here], false)]
    {
        let sender = Sender::with(Checked::new(Says::new(&[&answer]), loopback), TIMEOUT);
        let refused = send(&sender, "http://mixed.invalid/").status.unwrap_err();
        assert!(refused.contains("may not be dialled"), "{refused}");
    }
    assert_eq!(seen.load(Ordering::Relaxed), 0);
}

#[test]
fn a_receiver_has_twenty_seconds_for_everything() {
    assert_eq!(TIMEOUT, Duration::from_secs(20));
    let short = |does: fn(&mut TcpStream)| {
        let (address, _) = receiver(does);
        let sender = Sender::with(Checked::new(DefaultResolver::default(), true), Duration::from_millis(700));
        let came = send(&sender, &format!("http://{address}/"));
        assert!(came.duration < Duration::from_secs(3), "{came:?}");
        came
    };
    let silent = short(|_| std::thread::sleep(Duration::from_secs(5)));
    assert_eq!(silent.status, Err("no answer within 20 seconds".to_owned()));
    let slow_head = short(|stream| drip(stream, b"HTTP/1.1 200 OK\r\nX-Slow: "));
    assert_eq!(slow_head.status, Err("no answer within 20 seconds".to_owned()));
    // The status has been read: that is all that counts.
    let slow_body = short(|stream| drip(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    assert!(matches!(slow_body.status, Ok(200)), "{slow_body:?}");
}

/// One byte at a time, for five seconds.
fn drip(stream: &mut TcpStream, head: &[u8]) {
    let _ = stream.write_all(head);
    for _ in 0..50 {
        let _ = stream.write_all(b"x");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_answer_without_an_end_is_not_read_to_the_end() {
    let (address, _) = receiver(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let sender = Sender::new(true);
    let came = send(&sender, &format!("http://{address}/"));
    assert_eq!(came.status, Ok(200));
    assert!(came.duration < Duration::from_secs(5), "{came:?}");
    let (address, _) = receiver(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-More: of the same\r\n").is_ok() {}
    });
    let came = send(&sender, &format!("http://{address}/"));
    assert!(came.status.is_err() && came.duration < Duration::from_secs(5), "{came:?}");
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    // 1994-11-06T08:49:37Z, the example of RFC 9110.
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let before = then - Duration::from_secs(90);
    for (asked, wanted) in [
        ("120", Some(120)),
        (" 0 ", Some(0)),
        ("99999999999999999999", Some(u32::MAX)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(90)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(90)),
        ("Sun Nov  6 08:49:37 1994", Some(90)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(u32::MAX)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(retry_after(asked, before), wanted, "{asked:?}");
    }
}
