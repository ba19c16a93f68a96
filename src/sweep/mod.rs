//! Sweeps: one computation at many values of its parameters, in this process, in several, or as tasks of a batch
//! system, whose results are kept in a folder and become a table.
//!
//! A point is known by its values, not by its place: its folder is named by them. So a sweep may grow, and several
//! processes may work in one folder, each at the points that nobody else holds.

mod crew;
mod description;
mod folder;
mod found;
mod grid;
mod part;
mod reading;
mod run;
mod table;
mod work;

pub use description::Description;
pub use folder::{Folder, State};
pub use found::Found;
pub(crate) use grid::MOST;
pub use grid::{Axis, Grid, Point};
pub use part::{Part, Plan, Planned, Share, Wanted};
pub use reading::Reading;
pub(crate) use reading::{hash, hash_of_module};
pub use run::{End, Sweep, run};
pub use table::Table;
pub(crate) use work::is_finding;
pub use work::{Compute, Outcome, Place};

use crate::settings::Setting;

/// What can be set of a sweep.
pub const SETTINGS: &[Setting] = &[
    Setting::text("folder", "where results are kept, a folder for each point; what is there is not computed again")
        .or_else("nothing is kept"),
    Setting::count("jobs", "processes that compute at a time, each with its part of the threads; needs `folder`")
        .between(1.0, 256.0)
        .or(1.0),
];
