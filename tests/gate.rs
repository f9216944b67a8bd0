//! The gate, as a client sees it: real sockets, honest and other peers.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]
#![allow(clippy::needless_for_each, clippy::format_push_string)]

use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tagtill::http::{Body, GateConfig, Handler, Method, Request, Responder, Response, Server};

/// Answers by path, and shows in its answer what arrived.
#[derive(Default)]
struct Till {
    parked: Mutex<VecDeque<Responder>>,
    held: Mutex<VecDeque<Responder>>,
    forgotten: Mutex<Vec<String>>,
}

impl Handler for Till {
    fn handle(&self, request: Request, mut responder: Responder) {
        match request.path.as_str() {
            "/panic" => panic!("as asked for"),
            "/forget" => self.forgotten.lock().unwrap().push(request.id),
            "/hold" => self.held.lock().unwrap().push_back(responder),
            "/park" if responder.park() => self.parked.lock().unwrap().push_back(responder),
            "/park" => responder.send(Response::empty(503)),
            "/big" => responder.send(Response::new(200, "text/plain", vec![b'b'; 300_000])),
            "/file" => {
                let mut file = tempfile::tempfile().unwrap();
                file.set_len(FILE_BYTES).unwrap();
                file.rewind().unwrap();
                responder.send(file_response(file, FILE_BYTES));
            }
            "/short-file" => responder.send(file_response(tempfile::tempfile().unwrap(), 1000)),
            "/nothing" => responder.send(Response::empty(204)),
            "/long-head" => {
                let value = "h".repeat(900);
                let response = Response::new(200, "text/plain", "long");
                responder.send((0..20).fold(response, |it, _| it.with_header("X-Long", &value)));
            }
            "/inject" => responder.send(Response::empty(200).with_header("X-A", "b\r\nX-Evil: 1")),
            _ => responder.send(echo(&request)),
        }
    }
}

const FILE_BYTES: u64 = 8 * 1024 * 1024;

fn file_response(file: File, length: u64) -> Response {
    Response { status: 200, headers: Vec::new(), body: Body::File { file, length } }
}

fn echo(request: &Request) -> Response {
    let mut text = format!("{} {} {}\n", request.method, request.path, request.query);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}={value}\n"));
    }
    text.push_str(&format!("body={}", String::from_utf8_lossy(&request.body)));
    assert_eq!(Method::parse(request.method.as_str()), request.method);
    Response::new(200, "text/plain", text).with_header("X-Seen-Id", &request.id)
}

struct Fixture {
    server: Server,
    till: Arc<Till>,
}

fn start_with(change: impl FnOnce(&mut GateConfig)) -> Fixture {
    let mut config =
        GateConfig { slots: 16, shutdown_grace: Duration::from_secs(5), ..GateConfig::default() };
    change(&mut config);
    let till = Arc::new(Till::default());
    let server = Server::start(config, till.clone()).unwrap();
    Fixture { server, till }
}

fn start() -> Fixture {
    start_with(|_| {})
}

impl Fixture {
    fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.server.local_addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
        Client { stream, seen: Vec::new() }
    }

    /// The answer to these bytes on a connection of its own.
    fn tell(&self, bytes: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.send(bytes);
        client.answer()
    }

    /// The status of these bytes' answer, after which the connection must end, and others are served.
    fn refused(&self, bytes: impl AsRef<[u8]>) -> u16 {
        let mut client = self.connect();
        client.send(bytes);
        let answer = client.answer();
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let id = answer.header("x-request-id").unwrap().to_owned();
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["status"], answer.status);
        assert_eq!(problem["request_id"], id);
        for field in ["type", "title", "detail", "code"] {
            assert!(problem[field].is_string(), "{field}");
        }
        client.ends();
        assert_eq!(self.tell(get("/")).status, 200);
        answer.status
    }

    fn until(&self, what: &str, condition: impl Fn(&Fixture) -> bool) {
        until(what, || condition(self));
    }
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

struct Client {
    stream: TcpStream,
    seen: Vec<u8>,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    /// Sends; that the other side may stop listening in the middle of it is what some tests are about.
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    fn more(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer).expect("an answer in time");
        self.seen.extend_from_slice(&buffer[..count]);
        count
    }

    fn head(&mut self) -> Answer {
        loop {
            let mut room = [httparse::EMPTY_HEADER; 64];
            let mut parsed = httparse::Response::new(&mut room);
            if let httparse::Status::Complete(length) = parsed.parse(&self.seen).unwrap() {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                let headers = parsed.headers.iter();
                let headers = headers.map(|it| (it.name.to_ascii_lowercase(), text(it.value))).collect();
                let answer = Answer { status: parsed.code.unwrap(), headers, body: Vec::new() };
                self.seen.drain(..length);
                return answer;
            }
            assert!(self.more() > 0, "the connection ended before the answer");
        }
    }

    fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.header("content-length").map_or(0, |text| text.parse().unwrap());
        while self.seen.len() < length {
            assert!(self.more() > 0, "the connection ended within the body");
        }
        answer.body = self.seen.drain(..length).collect();
        answer
    }

    /// The connection ends, and nothing more comes.
    fn ends(&mut self) {
        let mut buffer = [0; 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => {}
            Ok(count) => panic!("more came: {:?}", String::from_utf8_lossy(&buffer[..count])),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        assert!(self.seen.is_empty(), "more came: {:?}", String::from_utf8_lossy(&self.seen));
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

fn post(headers: &str, body: &str) -> String {
    format!("POST /p HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}")
}

#[test]
fn requests_follow_one_another_on_a_kept_connection() {
    let till = start();
    let mut client = till.connect();
    let mut ids = Vec::new();
    for number in 0..50 {
        let body = "y".repeat(number * 100);
        client.send(post(&format!("Content-Length: {}\r\n", body.len()), &body));
        let answer = client.answer();
        assert_eq!(answer.status, 200);
        assert!(answer.text().ends_with(&format!("body={body}")));
        assert_eq!(answer.header("x-request-id"), answer.header("x-seen-id"));
        assert_eq!(answer.header("server"), None);
        assert_eq!(answer.header("connection"), None);
        ids.push(answer.header("x-request-id").unwrap().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
    assert!(ids.iter().all(|id| id.len() == 30 && id.starts_with("req_")));
}

#[test]
fn paths_queries_and_headers_arrive_as_sent() {
    let till = start();
    let answer = till.tell("PATCH /a%20b?c=%2F&d=?e HTTP/1.1\r\nHost: x:1\r\nX-One:  two \r\n\r\n");
    assert_eq!(answer.text(), "PATCH /a%20b c=%2F&d=?e\nhost=x:1\nx-one=two\nbody=");
    assert!(till.tell("PURGE / HTTP/1.1\r\nHost: x\r\n\r\n").text().starts_with("PURGE / "));
    assert!(till.tell(get("/ü")).text().starts_with("GET /%C3%BC "));
}

#[test]
fn a_client_cannot_speak_for_the_gate() {
    let till = start();
    let forged =
        "X-Tagtill-Gate: 0 1 req_evil 6.6.6.6:6\r\nx-request-id: req_evil\r\nTE: chunked\r\nUpgrade: h2c\r\n";
    let answer = till.tell(post(&format!("{forged}Connection: upgrade\r\n"), ""));
    assert_eq!(answer.text(), "POST /p \nhost=x\nbody=");
    assert_ne!(answer.header("x-request-id"), Some("req_evil"));
    assert!(answer.header("content-length").is_some());
}

/// Opens so many connections, sends a request on each, and only then reads the answers.
fn all_at_once(till: &Fixture, count: usize) {
    let mut clients: Vec<Client> = Vec::new();
    for _ in 0..count {
        let mut client = till.connect();
        client.send(get("/"));
        clients.push(client);
    }
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn many_connections_at_once_are_all_answered() {
    let patience = |config: &mut GateConfig| config.shed_grace = Duration::from_secs(60);
    let till = start_with(patience);
    let mut silent: Vec<Client> = (0..8).map(|_| till.connect()).collect();
    all_at_once(&till, 64);
    all_at_once(&till, 512);
    silent.iter_mut().for_each(|client| client.send(get("/")));
    silent.iter_mut().for_each(|client| assert_eq!(client.answer().status, 200));
    if descriptors_max() >= 12_000 {
        all_at_once(&till, 5_000);
    }
}

fn descriptors_max() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap_or(u64::MAX)
}

#[test]
fn idle_connections_give_way_to_new_ones() {
    let till = start_with(|config| config.slots = 8);
    let mut idle: Vec<Client> = (0..40)
        .map(|_| {
            let mut client = till.connect();
            client.send(get("/"));
            assert_eq!(client.answer().status, 200);
            client
        })
        .collect();
    assert_eq!(till.tell(get("/")).status, 200);
    assert!(till.server.stats().shed_total > 0);
    idle[0].ends();
    assert_eq!(till.till.parked.lock().unwrap().len(), 0);
}

#[test]
fn dawdlers_give_way_but_requests_being_handled_do_not() {
    let till = start_with(|config| {
        config.slots = 8;
        config.shed_grace = Duration::from_millis(50);
    });
    let mut held: Vec<Client> = (0..3).map(|_| till.connect()).collect();
    held.iter_mut().for_each(|client| client.send(get("/hold")));
    till.until("held", |it| it.till.held.lock().unwrap().len() == 3);
    // Ten times as many as there are places left, each with a part of a request, a body's part, or nothing.
    let mut dawdlers: Vec<Client> = (0..50).map(|_| till.connect()).collect();
    for (turn, client) in dawdlers.iter_mut().enumerate() {
        client.send(
            [&b"GET / HTTP/1.1\r\nHo"[..], post("Content-Length: 9\r\n", "abc").as_bytes(), b""][turn % 3],
        );
    }
    // Everybody who came later is served, though no dawdler leaves by himself.
    for _ in 0..3 {
        assert_eq!(till.tell(get("/")).status, 200);
    }
    assert!(till.server.stats().shed_total >= 45, "{:?}", till.server.stats());
    for (turn, client) in dawdlers.iter_mut().enumerate().take(45) {
        match turn % 3 {
            2 => client.ends(),
            _ => {
                let answer = client.answer();
                assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
                assert_eq!(answer.header("retry-after"), Some("1"));
                client.ends();
            }
        }
    }
    // Those being handled were left alone.
    assert_eq!(till.server.stats().busy, 3);
    till.till.held.lock().unwrap().drain(..).for_each(|it| it.send(Response::empty(200)));
    held.iter_mut().for_each(|client| assert_eq!(client.answer().status, 200));
}

#[test]
fn busy_slots_make_others_wait() {
    let till = start_with(|config| config.slots = 8);
    let mut clients: Vec<Client> = (0..12).map(|_| till.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(get("/hold")));
    for _ in 0..12 {
        till.until("one more is held", |it| !it.till.held.lock().unwrap().is_empty());
        let responder = till.till.held.lock().unwrap().pop_front().unwrap();
        thread::spawn(move || responder.send(Response::empty(200))).join().unwrap();
    }
    clients.iter_mut().for_each(|client| assert_eq!(client.answer().status, 200));
}

#[test]
fn lengths_that_lie_are_refused() {
    let till = start_with(|config| config.body_max_bytes = 1000);
    for (status, headers) in [
        (413, "Content-Length: 100000000000\r\n"),
        (413, "Content-Length: 99999999999999999999999999\r\n"),
        (413, "Content-Length: 1001\r\n"),
        (400, "Content-Length: -1\r\n"),
        (400, "Content-Length: +3\r\n"),
        (400, "Content-Length: 3, 3\r\n"),
        (400, "Content-Length: 0x3\r\n"),
        (400, "Content-Length:\r\n"),
        (400, "Content-Length: 3\r\nContent-Length: 3\r\n"),
        (400, "Content-Length: 3\r\nContent-Length: 4\r\n"),
        (400, "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
        (400, "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
        (400, "Transfer-Encoding: gzip, chunked\r\n"),
        (400, "Transfer-Encoding: xchunked\r\n"),
        (400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    ] {
        assert_eq!(till.refused(post(headers, "abc")), status, "{headers}");
    }
    assert_eq!(till.server.stats().refused_total[&413], 3);
}

#[test]
fn chunked_bodies_are_joined_or_refused() {
    let till = start_with(|config| config.body_max_bytes = 100_000);
    let chunked = |body: &str| post("Transfer-Encoding: Chunked\r\n", body);
    let mut client = till.connect();
    client.send(chunked("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"));
    assert!(client.answer().text().ends_with("body=hello world"));
    let long = "z".repeat(90_000);
    client.send(chunked(&format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len())));
    assert!(client.answer().text().ends_with(&format!("body={long}")));
    for bad in ["zz\r\n", "5\nhello\n0\n\n", "-5\r\n", "1\r\nab\r\n", "0\r\nEvil: 1\r\n\r\n", "fffffffff\r\n"]
    {
        assert_eq!(till.refused(chunked(bad)), 400, "{bad:?}");
    }
    assert_eq!(till.refused(chunked("1000000\r\n")), 413);
    assert_eq!(till.refused(chunked(&format!("1;{}", "x".repeat(10_000)))), 400);
}

#[test]
fn slow_heads_and_bodies_end_in_time() {
    let till = start_with(|config| {
        config.head_deadline = Duration::from_millis(100);
        config.request_deadline = Duration::from_millis(200);
    });
    assert_eq!(till.refused("GET / HT"), 408);
    assert_eq!(till.refused(post("Content-Length: 10\r\n", "abc")), 408);
    assert_eq!(till.refused(post("Transfer-Encoding: chunked\r\n", "5\r\nab")), 408);
    // A byte now and then does not help.
    let mut client = till.connect();
    let mut writer = client.stream.try_clone().unwrap();
    let dripping = thread::spawn(move || {
        for byte in post("Content-Length: 1000000\r\n", &"d".repeat(2000)).bytes() {
            if writer.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert_eq!(client.answer().status, 408);
    drop(client);
    dripping.join().unwrap();
}

#[test]
fn a_silent_connection_is_closed_without_a_word() {
    let till = start_with(|config| {
        config.head_deadline = Duration::from_millis(50);
        config.idle_timeout = Duration::from_millis(50);
    });
    till.connect().ends();
    let mut client = till.connect();
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
    client.ends();
}

#[test]
fn pipelined_requests_are_not_served() {
    let till = start();
    let mut client = till.connect();
    client.send(post("Content-Length: 3\r\n", &format!("abc{}", get("/smuggled").repeat(3))));
    let answer = client.answer();
    assert!(answer.text().ends_with("body=abc"));
    assert_eq!(answer.header("connection"), Some("close"));
    client.ends();
    // Empty lines between requests are from old clients, and harmless.
    let mut client = till.connect();
    client.send(format!("\r\n{}\r\n", get("/")));
    assert_eq!(client.answer().status, 200);
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
}

#[test]
fn a_client_that_expects_is_told_to_go_on() {
    let till = start_with(|config| config.body_max_bytes = 10);
    let mut client = till.connect();
    client.send(post("Content-Length: 3\r\nExpect: 100-continue\r\n", ""));
    assert_eq!(client.head().status, 100);
    client.send("abc");
    assert!(client.answer().text().ends_with("body=abc"));
    assert_eq!(till.refused(post("Content-Length: 11\r\nExpect: 100-continue\r\n", "")), 413);
    assert_eq!(till.refused(post("Content-Length: 3\r\nExpect: tea\r\n", "")), 417);
}

#[test]
fn old_clients_are_served() {
    let till = start();
    let mut client = till.connect();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    client.ends();
    let mut client = till.connect();
    for _ in 0..3 {
        client.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("keep-alive")));
    }
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(client.answer().header("connection"), Some("close"));
    client.ends();
}

#[test]
fn other_protocols_and_bad_heads_are_refused() {
    let till = start();
    for (status, bytes) in [
        (400, &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0"[..]),
        (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello"),
        (400, b"\0\0\0\0"),
        (400, b"GET / HTTP/1.1\nHost: x\n\n"),
        (400, b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nA: \xff\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n"),
        (400, b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        (505, b"GET / HTTP/3.0\r\nHost: x\r\n\r\n"),
        (501, b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n"),
        (501, b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"),
    ] {
        assert_eq!(till.refused(bytes), status, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn big_heads_are_refused_and_the_answer_arrives() {
    let till = start();
    assert_eq!(till.refused(format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(8192))), 414);
    assert_eq!(till.refused(format!("GET /{}", "a".repeat(20_000_000))), 414);
    let header = format!("A: {}\r\n", "b".repeat(1000));
    assert_eq!(till.refused(format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", header.repeat(20_000))), 431);
    assert_eq!(till.refused(format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(64))), 431);
    assert_eq!(till.tell(format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(8191))).status, 200);
}

#[test]
fn a_refused_upload_is_heard_out() {
    let till = start_with(|config| config.body_max_bytes = 1000);
    let mut client = till.connect();
    let body = "u".repeat(8_000_000);
    let request = post(&format!("Content-Length: {}\r\n", body.len()), &body);
    client.stream.write_all(request.as_bytes()).expect("no reset while the client still sends");
    assert_eq!(client.answer().status, 413);
    client.ends();
}

#[test]
fn large_bodies_share_a_budget() {
    let till = start_with(|config| {
        config.body_budget_bytes = 1_000_000;
        config.body_max_bytes = 900_000;
    });
    let mut first = till.connect();
    first.send(post("Content-Length: 800000\r\n", &"f".repeat(799_999)));
    let wanted = post("Content-Length: 600000\r\nExpect: 100-continue\r\n", "");
    // Until all of the first has arrived, there may be room.
    until("the budget is used up", || {
        let mut client = till.connect();
        client.send(&wanted);
        let head = client.head();
        assert!(head.status == 503 || head.status == 100);
        head.status == 503 && head.header("retry-after").is_some()
    });
    assert!(till.tell(post("Content-Length: 3\r\n", "abc")).text().ends_with("body=abc"));
    first.send("f");
    assert_eq!(first.answer().status, 200);
    until("the budget is back", || {
        let mut client = till.connect();
        client.send(&wanted);
        client.head().status == 100
    });
}

#[test]
fn a_handler_that_fails_is_answered_for() {
    let till = start();
    let mut client = till.connect();
    for path in ["/panic", "/forget"].repeat(8) {
        client.send(get(path));
        let answer = client.answer();
        assert_eq!(answer.status, 500);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["request_id"], answer.header("x-request-id").unwrap());
    }
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
}

#[test]
fn half_of_the_slots_may_park() {
    let till = start_with(|config| config.slots = 8);
    let mut clients: Vec<Client> = (0..4).map(|_| till.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(get("/park")));
    till.until("four parked", |it| it.till.parked.lock().unwrap().len() == 4);
    assert_eq!(till.server.stats().parked, 4);
    assert_eq!(till.tell(get("/park")).status, 503);
    assert_eq!(till.tell(get("/")).status, 200);
    let responders: Vec<Responder> = till.till.parked.lock().unwrap().drain(..).collect();
    assert!(responders.iter().all(|it| !it.is_abandoned()));
    thread::spawn(|| responders.into_iter().for_each(|it| it.send(Response::empty(200)))).join().unwrap();
    clients.iter_mut().for_each(|client| assert_eq!(client.answer().status, 200));
    assert_eq!(till.server.stats().parked, 0);
    clients[0].send(get("/park"));
    till.until("one parked", |it| it.till.parked.lock().unwrap().len() == 1);
}

#[test]
fn a_parked_client_that_leaves_frees_its_slot() {
    let till = start_with(|config| config.slots = 8);
    let mut clients: Vec<Client> = (0..4).map(|_| till.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(get("/park")));
    till.until("four parked", |it| it.server.stats().parked == 4);
    drop(clients);
    till.until("all freed", |it| it.server.stats().parked == 0 && it.server.stats().busy == 0);
    let responders: Vec<Responder> = till.till.parked.lock().unwrap().drain(..).collect();
    assert!(responders.iter().all(Responder::is_abandoned));
    // Others have the slots now, and must not see what was meant for those who left.
    let mut others: Vec<Client> = (0..8).map(|_| till.connect()).collect();
    others.iter_mut().for_each(|client| client.send(get("/hold")));
    till.until("all slots in use", |it| it.till.held.lock().unwrap().len() == 8);
    responders.into_iter().for_each(|it| it.send(Response::empty(299)));
    till.till.held.lock().unwrap().drain(..).for_each(|it| it.send(Response::empty(200)));
    others.iter_mut().for_each(|client| assert_eq!(client.answer().status, 200));
}

#[test]
fn long_answers_are_streamed_whole() {
    let till = start();
    let mut client = till.connect();
    for _ in 0..2 {
        client.send(get("/file"));
        let answer = client.answer();
        assert_eq!(answer.body.len() as u64, FILE_BYTES);
        client.send(get("/big"));
        assert_eq!(client.answer().body, vec![b'b'; 300_000]);
    }
    client.send("HEAD /big HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.head().header("content-length"), Some("300000"));
    client.send(get("/nothing"));
    let answer = client.head();
    assert_eq!((answer.status, answer.header("content-length")), (204, None));
    for _ in 0..200 {
        client.send(get("/long-head"));
        assert_eq!(client.answer().text(), "long");
    }
    client.send(get("/inject"));
    assert_eq!(client.answer().header("x-evil"), None);
    client.send(get("/"));
    assert_eq!(client.answer().status, 200);
}

#[test]
fn an_answer_that_breaks_off_cuts_the_connection() {
    let till = start();
    let mut client = till.connect();
    client.send(get("/short-file"));
    let mut rest = Vec::new();
    let _ = client.stream.read_to_end(&mut rest);
    let text = String::from_utf8_lossy(&rest);
    assert!(!text.contains("\r\n\r\n") || text.contains(" 500 ") || text.contains("Content-Length: 1000"));
    assert_eq!(till.tell(get("/")).status, 200);
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let till = start_with(|config| config.write_timeout = Duration::from_millis(100));
    let mut client = till.connect();
    client.send(get("/file"));
    client.head();
    till.until("freed", |it| it.server.stats().busy == 0);
    let mut flood = till.connect();
    flood.send(get("/big").repeat(1000));
    till.until("freed", |it| it.server.stats().busy == 0);
    assert_eq!(till.tell(get("/")).status, 200);
}

#[test]
fn half_closed_clients_still_get_their_answer() {
    let till = start();
    let mut client = till.connect();
    client.send(get("/"));
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.answer().status, 200);
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

fn descriptors_to_ours() -> usize {
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    links
        .filter(|it| {
            std::fs::read_link(it.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"))
        })
        .count()
}

mod shutdown {
    //! In a process of its own, because threads and descriptors are counted.

    use super::*;

    const INSIDE: &str = "TAGTILL_GATE_TEST_INSIDE";

    #[test]
    fn a_shutdown_leaves_nothing_behind() {
        if std::env::var_os(INSIDE).is_none() {
            let dir = tempfile::tempdir().unwrap();
            let this = std::env::current_exe().unwrap();
            let mut command = std::process::Command::new(this);
            command.args(["--exact", "shutdown::a_shutdown_leaves_nothing_behind", "--nocapture"]);
            let status = command.env(INSIDE, "1").env("TMPDIR", dir.path()).status().unwrap();
            assert!(status.success());
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
            return;
        }
        let (threads_before, descriptors_before) = (threads(), descriptors_to_ours());
        let till = start_with(|config| config.slots = 32);
        // Not even a kill could leave anything in the temporary directory.
        assert_eq!(std::fs::read_dir(std::env::temp_dir()).unwrap().count(), 0);
        let threads_started = threads();
        all_at_once(&till, 400);
        assert!(threads() <= threads_started + 2, "no thread for each connection");
        let addr = till.server.local_addr();
        let mut idle = till.connect();
        idle.send(get("/"));
        idle.answer();
        let mut half = till.connect();
        half.send("GET / HT");
        let mut held = till.connect();
        held.send(get("/hold"));
        till.until("held", |it| it.till.held.lock().unwrap().len() == 1);
        let Fixture { server, till } = till;
        let closing = thread::spawn(move || server.shutdown());
        idle.ends();
        until("nobody listens", || TcpStream::connect(addr).is_err());
        till.held.lock().unwrap().pop_front().unwrap().send(Response::empty(200));
        let answer = held.answer();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        closing.join().unwrap();
        drop((idle, half, held));
        // The library's own threads rest for five seconds before they leave.
        until("threads are back", || threads() == threads_before);
        until("sockets are back", || descriptors_to_ours() == descriptors_before);
    }
}
