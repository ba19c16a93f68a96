//! Warnings before work that grows with the square of the counts.

use crate::task::Task;

/// Coordinates of pairs that a thread compares in a second, roughly.
const RATE: f64 = 5e8;
/// Seconds that are worth a warning.
const LONG: f64 = 60.0;

/// Warns where comparing `pairs` of so many coordinates takes more than a minute; `what` begins the sentence.
pub(super) fn warn_if_long(what: &str, pairs: f64, coordinates: usize, task: &Task) {
    let seconds = pairs * coordinates as f64 / (RATE * task.threads() as f64);
    if seconds > LONG {
        task.warn(&format!(
            "{what} compares {pairs:.1e} pairs, which may take {:.0} minutes; the time goes with the square of the counts, \
             so a tenth of the rows takes a hundredth",
            seconds / 60.0
        ));
    }
}
