//! Opening and closing the gate.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::Dial;
use super::keeper::Keeper;
use super::slots::Shared;

/// Connections that the kernel holds for us while no slot is free.
const BACKLOG: i32 = 4096;

/// An open gate.
pub struct Gate {
    addr: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Gate {
    /// Listens.
    pub fn open(listener: TcpListener, shared: &Arc<Shared>, dial: &Arc<dyn Dial>) -> io::Result<Gate> {
        rustix::net::listen(&listener, BACKLOG)?;
        let addr = listener.local_addr()?;
        let keeper = Keeper::new(shared, listener, dial)?;
        let thread = thread::Builder::new().name("gate".to_owned()).spawn(move || keeper.run())?;
        Ok(Gate { addr, shared: shared.clone(), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops accepting, lets requests being handled finish within the grace, then closes all.
    pub fn close(&mut self) {
        self.shared.stop();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};
    use std::os::unix::net::UnixStream;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, poll};

    use super::super::{Answer, GateConfig, TICKET_HEADER, lock};
    use super::*;
    use crate::http::message::Body;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// Gives lanes whose other ends the test has.
    struct Pairs(Mutex<Sender<UnixStream>>);

    impl Dial for Pairs {
        fn dial(&self) -> io::Result<Vec<UnixStream>> {
            let (ours, theirs) = UnixStream::pair()?;
            theirs.set_read_timeout(Some(PATIENCE))?;
            lock(&self.0).send(theirs).map_err(io::Error::other)?;
            Ok(vec![ours])
        }
    }

    fn open() -> (Gate, Arc<Shared>, Receiver<UnixStream>) {
        let (sender, lanes) = channel();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let shared = Arc::new(Shared::new(GateConfig { slots: 8, ..GateConfig::default() }).unwrap());
        let dial: Arc<dyn Dial> = Arc::new(Pairs(Mutex::new(sender)));
        let gate = Gate::open(listener, &shared, &dial).unwrap();
        (gate, shared, lanes)
    }

    fn ask(gate: &Gate) -> TcpStream {
        let mut client = TcpStream::connect(gate.local_addr()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        client
    }

    /// The next request on a lane: its slot and exchange.
    fn arrives(lane: &mut UnixStream, secret: u64) -> (usize, u64) {
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            lane.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        let seen = String::from_utf8(seen).unwrap();
        let ticket = seen.split("\r\n").find_map(|line| line.strip_prefix(TICKET_HEADER)).unwrap();
        let parts: Vec<&str> = ticket.trim_start_matches(": ").split(' ').collect();
        assert_eq!(parts[0], format!("{secret:016x}"));
        (parts[1].parse().unwrap(), parts[2].parse().unwrap())
    }

    fn status(mut client: &TcpStream) -> String {
        let mut seen = [0; 12];
        client.read_exact(&mut seen).unwrap();
        String::from_utf8_lossy(&seen[9..]).into_owned()
    }

    #[test]
    fn a_broken_lane_loses_only_what_no_worker_has_and_is_replaced() {
        let (gate, shared, lanes) = open();
        let mut lane = lanes.recv_timeout(PATIENCE).unwrap();
        let clients = [ask(&gate), ask(&gate)];
        let first = arrives(&mut lane, shared.secret);
        let second = arrives(&mut lane, shared.secret);
        let (kept, gone) = (first, second);
        assert!(shared.take(kept.0, kept.1));
        drop(lane);
        let mut lane = lanes.recv_timeout(PATIENCE).unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !shared.has_left(gone.0, gone.1) {
            assert!(Instant::now() < deadline, "what was lost is given up");
            thread::sleep(Duration::from_millis(1));
        }
        assert!(!shared.take(gone.0, gone.1));
        let ok = || Answer {
            head: b"HTTP/1.1 200 OK\r\n".to_vec(),
            body: Body::Bytes(Vec::new()),
            bodiless: true,
        };
        shared.answer(kept.0, kept.1, false, ok());
        let mut statuses = clients.each_ref().map(status);
        statuses.sort();
        assert_eq!(statuses, ["200", "500"]);
        // While there is no lane, requests are refused; then they arrive again.
        let client = loop {
            let client = ask(&gate);
            let mut first = [PollFd::new(&lane, PollFlags::IN), PollFd::new(&client, PollFlags::IN)];
            poll(&mut first, None).unwrap();
            if !first[0].revents().is_empty() {
                break client;
            }
            assert_eq!(status(&client), "503");
        };
        let (slot, exchange) = arrives(&mut lane, shared.secret);
        assert!(shared.take(slot, exchange));
        shared.answer(slot, exchange, false, ok());
        assert_eq!(status(&client), "200");
    }
}
