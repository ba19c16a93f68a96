//! The thread of the sockets: hands requests to the language, and sends what it says. It answers by itself what must
//! not wait for the language: whether the kernel lives, and that it is to stop.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jupyter_protocol::{
    ConnectionInfo, InterruptReply, JupyterMessage, JupyterMessageContent, ReplyStatus, ShutdownReply, Status,
};
use jupyter_zmq_client::{
    KernelControlConnection, KernelHeartbeatConnection, KernelIoPubConnection, RouterRecvConnection,
    RouterSendConnection, create_kernel_control_connection, create_kernel_heartbeat_connection,
    create_kernel_iopub_connection, create_kernel_shell_connection, create_kernel_stdin_connection,
};

use super::kernel;
use super::outbox::{Outbox, Outgoing};
use crate::cli::interrupt::Interrupt;

/// How long a computation may take to stop before the kernel ends without it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two messages of printed lines.
const BETWEEN_STREAMS: Duration = Duration::from_millis(10);
/// Between two looks whether who started the kernel is still there.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// After a message that cannot be read, so that a broken socket takes no processor.
const AFTER_ERRORS: Duration = Duration::from_millis(10);

/// The sockets of a kernel.
pub(super) struct Sockets {
    /// What is asked of the language.
    pub(super) requests: Receiver<JupyterMessage>,
    outbox: Arc<Outbox>,
    thread: JoinHandle<()>,
}

impl Sockets {
    /// Sends what waits, and closes.
    pub(super) fn close(self) {
        self.outbox.close();
        // What it panics by it has said, and nobody is left to be told.
        let _ = self.thread.join();
    }
}

/// Opens the sockets that `connection` names.
///
/// # Errors
/// When one of them cannot be opened.
pub(super) fn open(connection: ConnectionInfo, interrupt: Interrupt, outbox: Arc<Outbox>) -> std::io::Result<Sockets> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (told, is_open) = channel();
    let (asked, requests) = channel();
    let shared = outbox.clone();
    let serve = move || {
        runtime.block_on(async {
            match Open::all(&connection).await {
                Ok(open) => {
                    // Who waits for it is there.
                    let _ = told.send(Ok(()));
                    open.serve(asked, interrupt, shared).await;
                }
                Err(error) => drop(told.send(Err(std::io::Error::other(error)))),
            }
        });
    };
    let thread = std::thread::Builder::new().name("sockets".to_owned()).spawn(serve)?;
    is_open.recv().map_err(std::io::Error::other)??;
    Ok(Sockets { requests, outbox, thread })
}

/// Sockets that are open.
struct Open {
    heartbeat: KernelHeartbeatConnection,
    control: KernelControlConnection,
    publications: KernelIoPubConnection,
    replies: RouterSendConnection,
    shell: RouterRecvConnection,
    /// Nothing is ever asked of the user, but clients connect to it.
    _input: jupyter_zmq_client::KernelStdinConnection,
}

impl Open {
    async fn all(connection: &ConnectionInfo) -> jupyter_zmq_client::Result<Self> {
        // Messages bear the session of who asked; these go to nobody.
        let session = "tumble";
        let (replies, shell) = create_kernel_shell_connection(connection, session).await?.split();
        Ok(Self {
            heartbeat: create_kernel_heartbeat_connection(connection).await?,
            control: create_kernel_control_connection(connection, session).await?,
            publications: create_kernel_iopub_connection(connection, session).await?,
            replies,
            shell,
            _input: create_kernel_stdin_connection(connection, session).await?,
        })
    }

    /// Works until nothing more is to be sent.
    async fn serve(self, asked: Sender<JupyterMessage>, interrupt: Interrupt, outbox: Arc<Outbox>) {
        let Self { mut heartbeat, control, publications, replies, shell, _input } = self;
        tokio::spawn(async move { while heartbeat.single_heartbeat().await.is_ok() {} });
        tokio::spawn(listen(shell, asked.clone()));
        tokio::spawn(obey(control, asked, interrupt, outbox.clone()));
        tokio::spawn(watch_parent());
        send(&outbox, publications, replies).await;
    }
}

async fn listen(mut shell: RouterRecvConnection, asked: Sender<JupyterMessage>) {
    loop {
        match shell.read().await {
            Ok(request) => {
                if asked.send(request).is_err() {
                    return;
                }
            }
            // Who sends what is no message, or signs it with another key, gets no answer.
            Err(_) => tokio::time::sleep(AFTER_ERRORS).await,
        }
    }
}

async fn send(outbox: &Outbox, mut publications: KernelIoPubConnection, mut replies: RouterSendConnection) {
    while let Some(waiting) = outbox.take().await {
        let is_stream = |outgoing: &Outgoing| {
            matches!(outgoing, Outgoing::Publication(message)
                if matches!(message.content, JupyterMessageContent::StreamContent(_)))
        };
        let has_streams = waiting.iter().any(is_stream);
        for outgoing in waiting {
            // Who asked may be gone.
            let _ = match outgoing {
                Outgoing::Reply(message) => replies.send(message).await,
                Outgoing::Publication(message) => publications.send(message).await,
            };
        }
        if has_streams {
            tokio::time::sleep(BETWEEN_STREAMS).await;
        }
    }
}

/// Interrupts and ends, whatever the language does.
async fn obey(
    mut control: KernelControlConnection,
    asked: Sender<JupyterMessage>,
    interrupt: Interrupt,
    outbox: Arc<Outbox>,
) {
    loop {
        let Ok(request) = control.read().await else {
            tokio::time::sleep(AFTER_ERRORS).await;
            continue;
        };
        outbox.publish(Status::busy().as_child_of(&request));
        let reply = match &request.content {
            JupyterMessageContent::InterruptRequest(_) => {
                interrupt.stop();
                Some(InterruptReply::new().as_child_of(&request))
            }
            JupyterMessageContent::ShutdownRequest(shutdown) => {
                let reply = ShutdownReply { restart: shutdown.restart, status: ReplyStatus::Ok, error: None };
                Some(reply.as_child_of(&request))
            }
            JupyterMessageContent::KernelInfoRequest(_) => Some(kernel::info().as_child_of(&request)),
            _ => None,
        };
        if let Some(reply) = reply {
            let _ = control.send(reply).await;
        }
        outbox.publish(Status::idle().as_child_of(&request));
        if matches!(request.content, JupyterMessageContent::ShutdownRequest(_)) {
            interrupt.stop();
            // The language ends when it comes to this; a long training has written its checkpoint by then.
            let _ = asked.send(request);
            tokio::time::sleep(PATIENCE).await;
            std::process::exit(0);
        }
    }
}

/// Ends the program when who started it is gone: nobody could ever reach it again.
#[cfg(unix)]
async fn watch_parent() {
    // Jupyter says so where it started the kernel itself.
    if std::env::var_os("JPY_PARENT_PID").is_none() {
        return;
    }
    let parent = std::os::unix::process::parent_id();
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    std::process::exit(crate::cli::FAILURE.into());
}

/// Elsewhere Jupyter ends its kernels itself.
#[cfg(not(unix))]
async fn watch_parent() {}
