//! What notebooks ask of the language, and its answers.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use jupyter_protocol::{
    CodeMirrorMode, CommInfoReply, CompleteReply, CompleteRequest, ExecuteInput, ExecuteReply, ExecuteRequest,
    ExecutionCount, HistoryReply, InspectReply, InspectRequest, IsCompleteReply, JupyterMessage, JupyterMessageContent,
    KernelInfoReply, LanguageInfo, Media, MediaType, Payload, ReplyStatus, Status,
};
use tumble::lang::assist;

use super::board::Board;
use super::notebook::{Notebook, PAGE};
use super::outbox::Outbox;
use crate::cli::Setup;
use crate::repl::complete::complete;
use crate::repl::session::{Outcome, Session};

/// Columns by which a bracket indents.
const INDENT: usize = 4;

/// One notebook's session.
pub(super) struct Kernel {
    session: Session,
    board: Arc<Board>,
    screen: Rc<Notebook>,
    outbox: Arc<Outbox>,
    count: ExecutionCount,
}

impl Kernel {
    /// A session whose outputs go to `outbox`.
    ///
    /// # Errors
    /// When the operating system refuses threads.
    pub(super) fn new(mut setup: Setup, outbox: Arc<Outbox>) -> tumble::Result<Self> {
        let quiet = setup.quiet();
        let board = Arc::new(Board::new(outbox.clone(), quiet));
        let screen = Rc::new(Notebook::new(board.clone()));
        setup.progress = Some(board.clone());
        setup.screen = screen.clone();
        let session = Session::new(setup.runtime()?, setup);
        Ok(Self { session, board, screen, outbox, count: ExecutionCount::default() })
    }

    /// Answers until it is asked to end, and returns the exit code.
    pub(super) fn serve(mut self, requests: &Receiver<JupyterMessage>) -> u8 {
        let mut waited = VecDeque::new();
        loop {
            let aborted = waited.pop_front();
            let is_aborted = aborted.is_some();
            let Some(request) = aborted.or_else(|| requests.recv().ok()) else { return 0 };
            self.outbox.publish(Status::busy().as_child_of(&request));
            let reply = self.answer(&request, is_aborted);
            if has_failed(&request, reply.as_ref()) {
                // Cells that wait would build on what is not there; those are not meant that come after the reply.
                waited.extend(requests.try_iter());
            }
            if let Some(reply) = reply {
                self.outbox.reply(JupyterMessage::new(reply, Some(&request)));
            }
            self.outbox.publish(Status::idle().as_child_of(&request));
            // Where it came by the other socket, which it should, it was answered there.
            let is_last = matches!(request.content, JupyterMessageContent::ShutdownRequest(_));
            if let Some(code) = self.session.setup.interrupt.leaving().or(is_last.then_some(0)) {
                return code;
            }
        }
    }

    /// The reply to a request, if there is one; a cell that is aborted is not run.
    fn answer(&mut self, request: &JupyterMessage, is_aborted: bool) -> Option<JupyterMessageContent> {
        Some(match &request.content {
            JupyterMessageContent::ExecuteRequest(_) if is_aborted => {
                let reply = ExecuteReply { status: ReplyStatus::Aborted, ..ExecuteReply::default() };
                ExecuteReply { execution_count: self.count, ..reply }.into()
            }
            JupyterMessageContent::ExecuteRequest(asked) => self.execute(request, asked).into(),
            JupyterMessageContent::CompleteRequest(asked) => self.complete(asked).into(),
            JupyterMessageContent::InspectRequest(asked) => self.inspect(asked).into(),
            JupyterMessageContent::IsCompleteRequest(asked) => self.is_complete(&asked.code).into(),
            JupyterMessageContent::HistoryRequest(_) => HistoryReply::default().into(),
            JupyterMessageContent::CommInfoRequest(_) => CommInfoReply::default().into(),
            JupyterMessageContent::KernelInfoRequest(_) => info().into(),
            _ => return None,
        })
    }

    fn execute(&mut self, request: &JupyterMessage, asked: &ExecuteRequest) -> ExecuteReply {
        self.board.begin(request);
        if asked.silent {
            self.screen.begin(None);
        } else {
            // Errors name a cell by the number that is shown beside it.
            self.session.entered = self.count.value();
            self.count.increment();
            self.screen.begin(Some(self.count));
            self.board.publish(ExecuteInput { code: asked.code.clone(), execution_count: self.count });
        }
        let outcome = self.run(&asked.code);
        if self.session.was_stopped {
            // Be it that the cell gave a value: what waits behind it would go on with a network half trained.
            self.screen.interrupted();
        }
        let mut payload = Vec::new();
        match outcome {
            Outcome::Leave(0) => payload.push(Payload::AskExit { keepkernel: false }),
            Outcome::Leave(code) => self.screen.fail("exit", &code.to_string(), &format!("exit({code})")),
            Outcome::Done | Outcome::Failed(_) => {}
        }
        let error = self.screen.failure().map(Box::new);
        let status = if error.is_some() { ReplyStatus::Error } else { ReplyStatus::Ok };
        ExecuteReply { status, execution_count: self.count, payload, user_expressions: Some(HashMap::new()), error }
    }

    /// Runs a cell: one input, or commands of the prompt, a line each.
    fn run(&mut self, code: &str) -> Outcome {
        self.session.was_stopped = false;
        let lines = || code.lines().filter(|line| !line.trim().is_empty());
        if !lines().all(|line| line.trim_start().starts_with(':')) {
            return crate::repl::enter(&mut self.session, code);
        }
        for line in lines() {
            let outcome = crate::repl::enter(&mut self.session, line);
            if outcome != Outcome::Done || self.session.was_stopped {
                return outcome;
            }
        }
        Outcome::Done
    }

    fn complete(&self, asked: &CompleteRequest) -> CompleteReply {
        let before = &asked.code[..bytes(&asked.code, asked.cursor_pos)];
        // Of several commands, the one that is being written.
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let from = if before[line..].starts_with(':') { line } else { 0 };
        let (start, offers) = complete(&self.session, &before[from..]);
        CompleteReply {
            matches: offers.into_iter().map(|offer| offer.replacement).collect(),
            cursor_start: before[..from + start].chars().count(),
            cursor_end: asked.cursor_pos,
            ..CompleteReply::default()
        }
    }

    fn inspect(&self, asked: &InspectRequest) -> InspectReply {
        let cursor = bytes(&asked.code, asked.cursor_pos);
        match assist::inspect(&self.session.runtime, &asked.code, cursor, PAGE) {
            Some(text) => {
                let data = Media::new(vec![MediaType::Plain(text)]);
                InspectReply { found: true, data, ..InspectReply::default() }
            }
            None => InspectReply::default(),
        }
    }

    fn is_complete(&self, code: &str) -> IsCompleteReply {
        match self.session.wants_more(code) {
            true => IsCompleteReply::incomplete(" ".repeat(INDENT * assist::depth(code))),
            false => IsCompleteReply::complete(),
        }
    }
}

/// Whether a cell failed that others are not to run behind.
fn has_failed(request: &JupyterMessage, reply: Option<&JupyterMessageContent>) -> bool {
    match (&request.content, reply) {
        (JupyterMessageContent::ExecuteRequest(asked), Some(JupyterMessageContent::ExecuteReply(reply))) => {
            asked.stop_on_error && reply.status == ReplyStatus::Error
        }
        _ => false,
    }
}

/// What the kernel is.
pub(super) fn info() -> KernelInfoReply {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    // No front end knows Rhai. Of what JupyterLab colours, JavaScript has its maps, quotes and texts with values in
    // them; on a page, Pygments would mark each `#` of it as an error, and those of Rust not.
    let language_info = LanguageInfo {
        name: "rhai".to_owned(),
        version: version.clone(),
        mimetype: Some("text/javascript".to_owned()),
        file_extension: Some(".rhai".to_owned()),
        pygments_lexer: Some("rust".to_owned()),
        codemirror_mode: Some(CodeMirrorMode::Simple("javascript".to_owned())),
        nbconvert_exporter: None,
    };
    KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: "5.3".to_owned(),
        implementation: "tumble".to_owned(),
        banner: format!("tumble {version} - :help shows what there is, Tab completes, Shift-Tab explains"),
        implementation_version: version,
        language_info,
        help_links: Vec::new(),
        debugger: false,
        error: None,
    }
}

/// The byte of `text` that a cursor behind so many code points stands at.
fn bytes(text: &str, cursor: usize) -> usize {
    text.char_indices().nth(cursor).map_or(text.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel() -> Kernel {
        Kernel::new(Setup::for_tests(), Arc::default()).unwrap()
    }

    #[test]
    fn cursors_are_counted_in_code_points() {
        let kernel = kernel();
        let code = "let τ𝜎 = process::pas; // η".to_owned();
        let cursor_pos = code[..code.find(';').unwrap()].chars().count();
        let reply = kernel.complete(&CompleteRequest { code: code.clone(), cursor_pos });
        assert_eq!(reply.matches, ["passive("]);
        let replaced: String =
            code.chars().skip(reply.cursor_start).take(reply.cursor_end - reply.cursor_start).collect();
        assert_eq!(replaced, "pas");
        let code = "/* τ𝜎 */ process::passive()".to_owned();
        let asked =
            InspectRequest { code, cursor_pos: "/* τ𝜎 */ process::pas".chars().count(), detail_level: None };
        let reply = kernel.inspect(&asked);
        assert!(reply.found && matches!(&reply.data.content[..], [MediaType::Plain(text)] if text.contains("passive")));
    }

    #[test]
    fn the_command_that_is_written_is_completed() {
        let complete = |code: &str| {
            let asked = CompleteRequest { code: code.to_owned(), cursor_pos: code.chars().count() };
            let reply = kernel().complete(&asked);
            (reply.matches, reply.cursor_start)
        };
        assert_eq!(complete(":vars\n:he"), (vec![":help ".to_owned()], 6));
        assert_eq!(complete("let a = 1;\nprocess::pas"), (vec!["passive(".to_owned()], 20));
    }

    #[test]
    fn lines_of_commands_are_carried_out_in_turn() {
        let mut kernel = kernel();
        assert_eq!(kernel.run("let a = 1;\nlet b = 2;"), Outcome::Done);
        assert_eq!(kernel.run(":set lines 7\n\n:type a\n"), Outcome::Done);
        assert_eq!(kernel.session.lines, 7);
        assert!(matches!(kernel.run(":nonsuch\n:set lines 8"), Outcome::Failed(_)));
        assert_eq!(kernel.session.lines, 7);
    }
}
