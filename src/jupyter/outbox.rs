//! What the language has said and the sockets have not sent yet.

use std::sync::{Mutex, PoisonError};

use jupyter_protocol::{JupyterMessage, JupyterMessageContent};
use tokio::sync::Notify;

/// A message on its way.
pub(super) enum Outgoing {
    /// To who asked.
    Reply(JupyterMessage),
    /// To all who watch the notebook.
    Publication(JupyterMessage),
}

/// Messages in their order; the language never waits for a socket.
#[derive(Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Outgoing>,
    is_closed: bool,
}

impl Outbox {
    /// Answers a request on the socket that it came by.
    pub(super) fn reply(&self, message: JupyterMessage) {
        self.change(|queue| queue.waiting.push(Outgoing::Reply(message)));
    }

    /// Publishes a message. Printed lines that wait behind each other become one message: a script may print faster
    /// than a browser reads.
    pub(super) fn publish(&self, message: JupyterMessage) {
        self.change(|queue| {
            let last = match queue.waiting.last_mut() {
                Some(Outgoing::Publication(last)) => Some(last),
                _ => None,
            };
            if !last.is_some_and(|last| joined(last, &message)) {
                queue.waiting.push(Outgoing::Publication(message));
            }
        });
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.change(|queue| queue.is_closed = true);
    }

    /// All that waits, as soon as there is anything; `None` when nothing more will come.
    pub(super) async fn take(&self) -> Option<Vec<Outgoing>> {
        loop {
            {
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                if !queue.waiting.is_empty() {
                    return Some(std::mem::take(&mut queue.waiting));
                }
                if queue.is_closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Queue)) {
        change(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }
}

/// Whether `next` is more of the same stream, by the same cell, and was put behind `last`.
fn joined(last: &mut JupyterMessage, next: &JupyterMessage) -> bool {
    let cell = |message: &JupyterMessage| message.parent_header.as_ref().map(|header| header.msg_id.clone());
    let is_same_cell = cell(last) == cell(next);
    match (&mut last.content, &next.content) {
        (JupyterMessageContent::StreamContent(last), JupyterMessageContent::StreamContent(next))
            if is_same_cell && std::mem::discriminant(&last.name) == std::mem::discriminant(&next.name) =>
        {
            last.text.push_str(&next.text);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use jupyter_protocol::{ExecuteRequest, Status, StreamContent};

    use super::*;

    #[test]
    fn lines_of_one_cell_travel_together() {
        let outbox = Outbox::default();
        let cells = [(); 2].map(|()| JupyterMessage::from(ExecuteRequest::default()));
        for (cell, content) in [
            (0, StreamContent::stdout("a\n")),
            (0, StreamContent::stdout("b\n")),
            (0, StreamContent::stderr("c\n")),
            (1, StreamContent::stderr("d\n")),
        ] {
            outbox.publish(content.as_child_of(&cells[cell]));
        }
        outbox.publish(Status::idle().as_child_of(&cells[1]));
        outbox.close();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let all = runtime.block_on(outbox.take()).unwrap();
        let texts: Vec<_> = all
            .iter()
            .map(|outgoing| match outgoing {
                Outgoing::Publication(JupyterMessage {
                    content: JupyterMessageContent::StreamContent(text), ..
                }) => text.text.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(texts, ["a\nb\n", "c\n", "d\n", ""]);
        assert!(runtime.block_on(outbox.take()).is_none());
    }
}
