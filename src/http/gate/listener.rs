//! The listener: accepts for as long as the gate is open, whatever `accept` says.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::slots::Shared;
use super::{Dial, slot};

/// Connections that the kernel holds for us while no slot is free.
const BACKLOG: i32 = 4096;
/// A pause after an error that will not be gone at once, such as having no descriptors left.
const BACK_OFF: Duration = Duration::from_millis(20);
/// Stack of a slot's thread, in bytes: it calls nothing deep.
const STACK_BYTES: usize = 256 * 1024;

/// An open gate.
pub struct Gate {
    addr: SocketAddr,
    listener: Arc<TcpListener>,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
    slots: Vec<JoinHandle<()>>,
}

impl Gate {
    /// Listens. `backends` has one private connection for each slot, already open.
    pub fn open(
        listener: TcpListener,
        shared: &Arc<Shared>,
        backends: Vec<UnixStream>,
        dial: &Arc<dyn Dial>,
    ) -> io::Result<Gate> {
        rustix::net::listen(&listener, BACKLOG)?;
        let addr = listener.local_addr()?;
        let listener = Arc::new(listener);
        let mut gate = Gate { addr, listener, shared: shared.clone(), acceptor: None, slots: Vec::new() };
        // On an error below the gate is dropped, which ends the threads that were started.
        for (index, backend) in backends.into_iter().enumerate() {
            let (shared, dial) = (shared.clone(), dial.clone());
            let thread = thread::Builder::new().name(format!("slot-{index}")).stack_size(STACK_BYTES);
            gate.slots.push(thread.spawn(move || slot::run(index, &shared, backend, &*dial))?);
        }
        let (shared, listener) = (shared.clone(), gate.listener.clone());
        let thread = thread::Builder::new().name("gate".to_owned());
        gate.acceptor = Some(thread.spawn(move || accept(&listener, &shared))?);
        Ok(gate)
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops accepting, lets requests being handled finish within the grace, then closes all.
    pub fn close(&mut self) {
        self.shared.stop();
        if let Some(acceptor) = self.acceptor.take() {
            // Wakes an accept at once on Linux; elsewhere a last connection of our own does.
            if rustix::net::shutdown(&*self.listener, rustix::net::Shutdown::Both).is_err() {
                let _ = TcpStream::connect_timeout(&reachable(self.addr), Duration::from_secs(1));
            }
            let _ = acceptor.join();
        }
        let deadline = Instant::now() + self.shared.config.shutdown_grace;
        while Instant::now() < deadline && !self.slots.iter().all(JoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(2));
        }
        self.shared.force();
        for slot in self.slots.drain(..) {
            let _ = slot.join();
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.close();
    }
}

fn accept(listener: &TcpListener, shared: &Shared) {
    loop {
        let accepted = listener.accept();
        if shared.is_stopping() {
            return;
        }
        match accepted {
            Ok((stream, peer)) => shared.admit(stream, peer),
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                log::warn!("cannot accept a connection, trying again: {error}");
                // Most likely there are no descriptors left, and an idle client holds one.
                shared.shed_one();
                thread::sleep(BACK_OFF);
            }
        }
    }
}

/// The address at which we reach a listener on all interfaces.
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    addr
}
