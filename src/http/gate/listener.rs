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
