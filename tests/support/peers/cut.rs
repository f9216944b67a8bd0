//! A network that can be cut: a proxy in front of a port of this machine.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The proxy. What is no HTTP request any more, a websocket, passes unseen.
pub struct Cut {
    port: u16,
    network: Arc<Mutex<Network>>,
}

#[derive(Default)]
struct Network {
    /// Where it leads, while it is open.
    upstream: u16,
    open: bool,
    ended: bool,
    /// How many answers are still to be lost, and to which requests.
    swallow: usize,
    path_part: String,
    swallowed: usize,
    /// The first line of every request that was passed on.
    requests: Vec<String>,
    live: HashMap<u64, [TcpStream; 2]>,
    connections: u64,
}

impl Network {
    fn breaks(&mut self) {
        for (_, ends) in self.live.drain() {
            for end in ends {
                let _ = end.shutdown(Shutdown::Both);
            }
        }
    }

    /// Notes a request; whether its answer is to be lost.
    fn request(&mut self, line: &str) -> bool {
        self.requests.push(line.trim_end().to_owned());
        let lost = self.swallow > 0 && line.contains(&self.path_part);
        self.swallow -= usize::from(lost);
        lost
    }
}

impl Cut {
    /// Listens on a port of its own; down until it leads somewhere.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Arc::<Mutex<Network>>::default();
        let ours = Arc::clone(&network);
        std::thread::spawn(move || accept(&listener, &ours));
        Self { port, network }
    }

    /// One that is open, in front of this port.
    pub fn before(upstream: u16) -> Self {
        let cut = Self::new();
        cut.lead_to(upstream);
        cut
    }

    /// Leads to this port from now on, and is open.
    pub fn lead_to(&self, upstream: u16) {
        self.network().upstream = upstream;
        self.open();
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Passes everything, and loses no further answers.
    pub fn open(&self) {
        let mut network = self.network();
        network.open = true;
        network.swallow = 0;
    }

    /// Breaks what is connected and closes every new connection at once.
    pub fn down(&self) {
        let mut network = self.network();
        network.open = false;
        network.breaks();
    }

    /// Breaks what is connected; who connects again is served.
    pub fn interrupt(&self) {
        self.network().breaks();
    }

    /// Passes the next requests whose first line (`POST /path HTTP/1.1`) contains this; once the server has begun to
    /// answer, the connection breaks instead.
    pub fn swallow_answers(&self, requests: usize, path_part: &str) {
        let mut network = self.network();
        network.swallow = requests;
        path_part.clone_into(&mut network.path_part);
    }

    /// How many answers were lost so far.
    pub fn swallowed(&self) -> usize {
        self.network().swallowed
    }

    /// How many requests were passed on whose first line contains this.
    pub fn requests(&self, path_part: &str) -> usize {
        self.network().requests.iter().filter(|line| line.contains(path_part)).count()
    }

    fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap()
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.network().ended = true;
        self.down();
        // Wakes who accepts.
        let _ = TcpStream::connect(self.address());
    }
}

fn accept(listener: &TcpListener, network: &Arc<Mutex<Network>>) {
    for client in listener.incoming().map_while(Result::ok) {
        let mut now = network.lock().unwrap();
        if now.ended {
            return;
        }
        if !now.open {
            continue;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", now.upstream)) else { continue };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        now.connections += 1;
        let id = now.connections;
        now.live.insert(id, [client.try_clone().unwrap(), server.try_clone().unwrap()]);
        drop(now);
        let lost = Arc::new(AtomicBool::new(false));
        let ends = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let (ours, flag) = (Arc::clone(network), Arc::clone(&lost));
        std::thread::spawn(move || {
            let _ = pass_requests(client, server, &ours, &flag);
        });
        let ours = Arc::clone(network);
        std::thread::spawn(move || {
            let _ = pass_answers(ends.1, ends.0, &ours, &lost);
            // The live ends are closed by their removal.
            if let Some(ends) = ours.lock().unwrap().live.remove(&id) {
                for end in ends {
                    let _ = end.shutdown(Shutdown::Both);
                }
            }
        });
    }
}

/// Passes requests one by one, so that each is known by its first line.
fn pass_requests(
    client: TcpStream,
    mut server: TcpStream,
    network: &Mutex<Network>,
    lost: &AtomicBool,
) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    loop {
        let mut head = String::new();
        if client.read_line(&mut head)? == 0 {
            return server.shutdown(Shutdown::Write);
        }
        if network.lock().unwrap().request(&head) {
            lost.store(true, Ordering::SeqCst);
        }
        let (mut length, mut chunked, mut upgrade) = (0, false, false);
        loop {
            let mut line = String::new();
            let end = client.read_line(&mut line)? == 0 || line.trim_end().is_empty();
            head.push_str(&line);
            let (name, value) = line.split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "transfer-encoding" => chunked = value.contains("chunked"),
                "upgrade" => upgrade = true,
                _ => {}
            }
            if end {
                break;
            }
        }
        server.write_all(head.as_bytes())?;
        if upgrade {
            copy(&mut client, &mut server)?;
            return server.shutdown(Shutdown::Write);
        }
        if chunked {
            pass_chunks(&mut client, &mut server)?;
        } else {
            copy(&mut client.by_ref().take(length), &mut server)?;
        }
    }
}

fn pass_chunks(client: &mut BufReader<TcpStream>, server: &mut TcpStream) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        client.read_line(&mut line)?;
        server.write_all(line.as_bytes())?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).unwrap_or(0);
        // Each chunk ends in a line's end; the last may be followed by headers.
        if size > 0 {
            copy(&mut client.by_ref().take(size + 2), server)?;
            continue;
        }
        while !line.trim_end().is_empty() {
            line.clear();
            client.read_line(&mut line)?;
            server.write_all(line.as_bytes())?;
        }
        return Ok(());
    }
}

/// Passes what the server says, as long as nothing of it is to be lost.
fn pass_answers(
    mut server: TcpStream,
    mut client: TcpStream,
    network: &Mutex<Network>,
    lost: &AtomicBool,
) -> std::io::Result<()> {
    let mut bytes = [0; 16384];
    loop {
        let count = server.read(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        if lost.load(Ordering::SeqCst) {
            network.lock().unwrap().swallowed += 1;
            return Ok(());
        }
        client.write_all(&bytes[..count])?;
    }
}
