//! Where text goes: values to standard output, everything else to standard error, colours only where they are wanted.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use console::Term;
use tumble::Diagnostic;
use tumble::lang::diagnostics::{Ending, fitted, visible, wrapped};

use super::exit::{CLOSED_PIPE, INTERRUPTED, code};

/// Columns of the terminal behind standard output; 100 where there is none.
pub(crate) fn width() -> usize {
    width_of(&Term::stdout())
}

/// Columns of a terminal; 100 where there is none.
pub(crate) fn width_of(terminal: &Term) -> usize {
    terminal.size_checked().map_or(100, |(_, columns)| usize::from(columns).max(20))
}

/// Rows and columns of the terminal behind standard output.
pub(super) fn size() -> [usize; 2] {
    let rows = Term::stdout().size_checked().map_or(24, |(rows, _)| usize::from(rows));
    [rows, width()]
}

/// Whether standard output may carry colours (<https://no-color.org>).
pub(crate) fn colour() -> bool {
    std::io::stdout().is_terminal() && colours_wanted()
}

fn colours_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !is_dumb()
}

/// Whether standard output is a terminal on which lines can be drawn again.
pub(super) fn redraws() -> bool {
    std::io::stdout().is_terminal() && !is_dumb()
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb")
}

/// Writes a line of a script or a value to standard output: as it is to a file, and to a terminal in its width and
/// without what controls it.
pub(crate) fn print(text: &str) {
    if std::io::stdout().is_terminal() { print_page(&fitted(&visible(text), width())) } else { print_page(text) }
}

/// Writes lines of the program's own, colours and all, to standard output. Whoever closed it has seen enough, so the
/// program ends.
pub(crate) fn print_page(text: &str) {
    if LAST.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
        return;
    }
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        std::process::exit(CLOSED_PIPE);
    }
}

/// Writes a sentence to standard error, if anybody still listens; on a terminal it goes on in the next line. Names and
/// texts of others may be part of it.
pub(crate) fn complain(text: &str) {
    let terminal = Term::stderr();
    let width = if terminal.is_term() { width_of(&terminal) } else { usize::MAX };
    show(&wrapped(&visible(text), width));
}

/// What this process said last, if it is one of several ranks that only the first speaks for.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Says nothing more.
#[cfg(feature = "mpi")]
pub(super) fn be_silent() {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(String::new());
}

/// Says after all what was to be said last.
#[cfg(feature = "mpi")]
pub(super) fn speak_up(introduction: &str) {
    let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
    last.into_iter().for_each(|last| show(&format!("{introduction}{last}")));
}

fn show(text: &str) {
    if let Some(last) = &mut *LAST.lock().unwrap_or_else(PoisonError::into_inner) {
        text.clone_into(last);
        return;
    }
    let terminal = Term::stderr();
    if terminal.is_term() {
        // A computation that failed leaves its progress line behind.
        let _ = terminal.clear_line();
    }
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Shows why a script ended, and returns the exit code that says the same.
pub(crate) fn report(diagnostic: &Diagnostic) -> u8 {
    match diagnostic.ending {
        Ending::Exit(_) => {}
        Ending::Interrupted => complain(INTERRUPTION),
        Ending::Failed => {
            let terminal = Term::stderr();
            let width = if terminal.is_term() { width_of(&terminal) } else { usize::MAX };
            show(diagnostic.render_within(width, terminal.is_term() && colours_wanted()).trim_end());
        }
    }
    code(diagnostic.ending)
}

/// What is said of a script that was stopped.
pub(crate) const INTERRUPTION: &str = "interrupted";

/// Says that a script was stopped, and returns the exit code that says the same.
pub(crate) fn interrupted() -> u8 {
    complain(INTERRUPTION);
    INTERRUPTED
}

/// While it lives, keys are neither shown nor put together to lines: the next prompt reads them as they were pressed.
#[cfg(unix)]
pub(crate) struct Unechoed(());

/// The terminal's settings before the first key went unshown.
#[cfg(unix)]
static USUAL: std::sync::OnceLock<libc::termios> = std::sync::OnceLock::new();

#[cfg(unix)]
impl Unechoed {
    pub(crate) fn new() -> Self {
        if let Some(mut settings) = settings() {
            USUAL.get_or_init(|| {
                // The program may end in the middle of a computation. A shell would set this right, others would not.
                // SAFETY: the function is there as long as the program.
                unsafe { libc::atexit(restore) };
                settings
            });
            settings.c_lflag &= !(libc::ECHO | libc::ICANON);
            // Ctrl-C is for what runs, and not for what was typed meanwhile.
            settings.c_lflag |= libc::NOFLSH;
            // Enter stays Enter.
            settings.c_iflag &= !libc::ICRNL;
            set(&settings);
        }
        Self(())
    }
}

#[cfg(unix)]
impl Drop for Unechoed {
    fn drop(&mut self) {
        restore();
    }
}

/// A key that was pressed on the terminal behind standard input, if one was.
#[cfg(unix)]
pub(super) fn key() -> Option<u8> {
    let mut input = libc::pollfd { fd: libc::STDIN_FILENO, events: libc::POLLIN, revents: 0 };
    let mut key = 0_u8;
    // SAFETY: both calls write to variables of the size that they are told, and do not wait.
    let is_read = unsafe {
        libc::isatty(libc::STDIN_FILENO) == 1
            && libc::poll(&mut input, 1, 0) == 1
            && libc::read(libc::STDIN_FILENO, (&raw mut key).cast(), 1) == 1
    };
    is_read.then_some(key)
}

/// Elsewhere nobody asks for keys one by one.
#[cfg(not(unix))]
pub(super) fn key() -> Option<u8> {
    None
}

/// The settings of the terminal behind standard input, if there is one.
#[cfg(unix)]
fn settings() -> Option<libc::termios> {
    // SAFETY: all zeros are a valid `termios`, and the call only writes it.
    unsafe {
        let mut settings: libc::termios = std::mem::zeroed();
        (libc::tcgetattr(libc::STDIN_FILENO, &mut settings) == 0).then_some(settings)
    }
}

#[cfg(unix)]
fn set(settings: &libc::termios) {
    // SAFETY: the call only reads the settings.
    unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, settings) };
}

#[cfg(unix)]
extern "C" fn restore() {
    if let Some(settings) = USUAL.get() {
        set(settings);
    }
}

/// Elsewhere keys are shown as they come.
#[cfg(not(unix))]
pub(crate) struct Unechoed(());

#[cfg(not(unix))]
impl Unechoed {
    pub(crate) fn new() -> Self {
        Self(())
    }
}
