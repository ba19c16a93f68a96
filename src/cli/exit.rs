//! Exit codes.

use tumble::lang::diagnostics::Ending;

/// A script's failure.
pub(crate) const FAILURE: u8 = 1;
/// Stopped by the user: 128 + SIGINT, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;
/// What a shell reports of a program that a closed pipe ended: 128 + SIGPIPE.
pub(crate) const CLOSED_PIPE: i32 = 141;
/// Asked to end, by a batch system or `kill`: 128 + SIGTERM.
pub(crate) const TERMINATED: u8 = 143;
/// The terminal is gone: 128 + SIGHUP.
pub(crate) const HUNG_UP: u8 = 129;

/// What tells how a script ended that gave no value.
pub(crate) fn code(ending: Ending) -> u8 {
    match ending {
        // More than a byte does not fit into an exit code; it must not become a success.
        Ending::Exit(code) => u8::try_from(code).unwrap_or(FAILURE),
        Ending::Interrupted => INTERRUPTED,
        Ending::Failed => FAILURE,
    }
}
