//! What tests see of the warnings of a computation.

use std::sync::{Arc, Mutex};

use super::{Progress, Report, Task};

#[derive(Default)]
struct Warnings(Mutex<Vec<String>>);

impl Progress for Warnings {
    fn update(&self, _: &Report) {}
    fn finish(&self, _: &Report) {}
    fn warn(&self, warning: &str) {
        self.0.lock().unwrap().push(warning.to_owned());
    }
}

/// What `work` gives, and what it warns of.
pub(crate) fn watched<T>(work: impl FnOnce(&Task) -> T) -> (T, Vec<String>) {
    let warnings = Arc::new(Warnings::default());
    let result = work(&Task::new(Arc::default(), Some(warnings.clone()), 2).unwrap());
    let warnings = warnings.0.lock().unwrap().clone();
    (result, warnings)
}
