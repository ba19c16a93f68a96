//! The screen of a session in a notebook: outputs of the cell that runs.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use data_encoding::BASE64;
use jupyter_protocol::{ErrorOutput, ExecuteResult, ExecutionCount, Media, MediaType, ReplyError, StreamContent};
use serde_json::{Map, json};
use tumble::lang::assist::Page;
use tumble::lang::diagnostics::{Ending, visible};
use tumble::{Diagnostic, Runtime, Value};

use super::board::{Board, WIDTH};
use crate::cli::code;
use crate::cli::screen::Screen;
use crate::cli::terminal::INTERRUPTION;

/// Pixels of a screen to a millimetre of a figure: half as large again as on paper, which is read from nearer by.
const PIXELS_PER_MM: f64 = 1.5 * 96.0 / 25.4;

/// How outputs are laid out.
pub(super) const PAGE: Page = Page { width: WIDTH, colour: true };

/// The outputs of the cell that runs.
pub(super) struct Notebook {
    board: Arc<Board>,
    /// The number of the cell; none where its value is not wanted.
    number: Cell<Option<ExecutionCount>>,
    failure: RefCell<Option<ReplyError>>,
}

impl Notebook {
    pub(super) fn new(board: Arc<Board>) -> Self {
        Self { board, number: Cell::default(), failure: RefCell::default() }
    }

    /// What is shown from now on belongs to another cell.
    pub(super) fn begin(&self, number: Option<ExecutionCount>) {
        self.number.set(number);
        self.failure.take();
    }

    /// Shows the error that the cell ends with; there is one.
    pub(super) fn fail(&self, kind: &str, message: &str, text: &str) {
        if self.failure.borrow().is_some() {
            return;
        }
        let (ename, evalue) = (kind.to_owned(), visible(message).into_owned());
        let traceback: Vec<String> = text.lines().map(str::to_owned).collect();
        self.board.publish(ErrorOutput { ename: ename.clone(), evalue: evalue.clone(), traceback: traceback.clone() });
        self.failure.replace(Some(ReplyError { ename, evalue, traceback }));
    }

    /// Shows that the cell was interrupted.
    pub(super) fn interrupted(&self) {
        self.fail(INTERRUPTION, "", INTERRUPTION);
    }

    /// The error that the cell ended with.
    pub(super) fn failure(&self) -> Option<ReplyError> {
        self.failure.take()
    }
}

impl Screen for Notebook {
    fn images(&self) -> &'static str {
        "auto"
    }

    fn set_images(&self, _: &str) -> tumble::Result<()> {
        Err(tumble::Error::refused("the notebook shows figures in its own way"))
    }

    fn page(&self) -> Page {
        PAGE
    }

    fn print(&self, text: &str) {
        self.print_page(&visible(text));
    }

    fn print_page(&self, text: &str) {
        self.board.publish(StreamContent::stdout(&format!("{text}\n")));
    }

    fn complain(&self, text: &str) {
        self.board.publish(StreamContent::stderr(&format!("{}\n", visible(text))));
    }

    fn show(&self, runtime: &Runtime, value: &Value, text: &str) {
        let Some(number) = self.number.get() else { return };
        let mut result = ExecuteResult::new(number, Media::new(vec![MediaType::Plain(visible(text).into_owned())]));
        match runtime.picture(value) {
            Some(Ok((png, size))) => {
                result.data.content.push(MediaType::Png(BASE64.encode(&png)));
                let [width, height] = size.map(|length| (length * PIXELS_PER_MM).round());
                result.metadata =
                    Map::from_iter([("image/png".to_owned(), json!({ "width": width, "height": height }))]);
            }
            Some(Err(error)) => self.complain(&format!("warning: {error}")),
            None => {}
        }
        self.board.publish(result);
    }

    fn report(&self, diagnostic: &Diagnostic) -> u8 {
        match diagnostic.ending {
            Ending::Exit(_) => {}
            Ending::Interrupted => self.interrupted(),
            Ending::Failed => {
                let text = diagnostic.render_within(WIDTH, true);
                self.fail("error", &diagnostic.message, text.trim_end());
            }
        }
        code(diagnostic.ending)
    }
}
