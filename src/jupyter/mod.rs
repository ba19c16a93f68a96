//! The kernel for Jupyter: notebooks whose cells are inputs of a session, as at the prompt.
//!
//! The language runs on the thread that calls; the sockets have a thread of their own, which starts before the walls
//! around scripts stand.

mod board;
mod install;
mod kernel;
mod notebook;
mod outbox;
mod sockets;

use std::path::Path;
use std::sync::Arc;

use jupyter_protocol::ConnectionInfo;
use tumble::{Error, Host};

use crate::cli::interrupt::Interrupt;
use crate::cli::{Kernel, Setup};
use outbox::Outbox;

pub(crate) use install::install;

/// Opens the sockets that a connection file names.
///
/// # Errors
/// When the file cannot be read, or a socket not be opened.
pub(crate) fn open(connection_file: &Path, interrupt: &Interrupt) -> tumble::Result<Kernel> {
    let text = Host::default().read_text(connection_file)?;
    let connection: ConnectionInfo = serde_json::from_str(&text)
        .map_err(|error| Error::file("read", connection_file, std::io::Error::other(error)))?;
    // A Ctrl-C that comes too late to stop anything must not end what the notebook holds.
    interrupt.stay();
    let outbox = Arc::new(Outbox::default());
    let sockets = sockets::open(connection, interrupt.clone(), outbox.clone())
        .map_err(|error| Error::file("serve", connection_file, error))?;
    Ok(Box::new(move |setup: Setup| {
        let code = kernel::Kernel::new(setup, outbox)?.serve(&sockets.requests);
        sockets.close();
        Ok(code)
    }))
}
