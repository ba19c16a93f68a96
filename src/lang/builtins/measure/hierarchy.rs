//! How much of a random hierarchy survives the noise.

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map};

use super::shared::estimate;
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Table, read};
use crate::lang::surroundings::task;
use crate::lang::tensors::numbers_argument;
use crate::physics::{self, Accuracies, Hierarchy, Model};
use crate::process::Process;

pub(super) const OPTIONS: &[(&str, Table)] = &[("hierarchy", TREES)];

const TREES: Table = &[Model::SETTINGS, Hierarchy::SETTINGS];

#[export_module(manifest)]
pub(super) mod module {
    /// How much of a random hierarchy can be read off its noised leaves: the part of the symbols, level by level, that
    /// the best possible guess gets right.
    ///
    /// A tree of symbols grows from a uniform root: each symbol becomes `branching` symbols by one of its `rules`, all
    /// as likely, and no two symbols of a level share a right-hand side. A leaf is a vector of `alphabet` coordinates,
    /// 1 at its symbol and 0 elsewhere, and each coordinate goes its own way by the process, with auxiliaries from
    /// their law at t = 0. The guess is the most probable symbol of a node given the observed blocks of all leaves and
    /// the rules, by belief propagation, which is exact on a tree. All processes, times and observed blocks under one
    /// seed have the same rules and trees.
    ///
    /// # Arguments
    /// - `p`: a linear process whose coordinates are independent
    /// - `times`: an array of times, above 0
    ///
    /// # Returns
    /// An array with a map for each time: `time`; `leaf_alone`, for a leaf by its own coordinates, without the tree;
    /// and `levels`, an array from the root to the leaves. All of these are `#{ value, error }`, with the standard
    /// error over independent trees: not a number for one tree, and 0 where all trees agree.
    ///
    /// # Errors
    /// When the process is nonlinear, couples its coordinates, moves angles, or lets the data determine what is
    /// observed; when a time is not above 0, a block is unknown, an option is out of range, the rules are more than the
    /// right-hand sides, or the memory does not suffice.
    ///
    /// # Source
    /// Cagnetta, Petrini, Tomasini, Favero, Wyart, arXiv 2307.02129; Sclocchi, Favero, Wyart, arXiv 2402.16991.
    ///
    /// # Example
    /// ```rhai
    /// let p = process::active(#{ k: 1, Tp: 1e-3, Ta: 1, tau: 2 });
    /// let tree = #{ alphabet: 8, depth: 5, rules: 4, count: 20 };
    /// let all = measure::hierarchy(p, [0.2, 2], tree);
    /// assert(all.len() == 2 && all[0].levels.len() == 6);
    /// assert(all[0].levels[0].value > 0.9 && all[1].levels[0].value < 0.9);
    /// // What is known of eta is known of the noise on x.
    /// let x = measure::hierarchy(p, [0.2, 2], tree + #{ observe: ["x"] });
    /// assert(x[1].leaf_alone.value < all[1].leaf_alone.value);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn hierarchy(ctx: NativeCallContext, p: Process, times: Dynamic, options: Map) -> Outcome<Array> {
        let request = read(&ctx, options, TREES, |given| Ok(Hierarchy::read(given)))?;
        let times = numbers_argument(&ctx, "times", &times)?;
        if times.shape.len() != 1 {
            let problem = format!("must be one row of numbers, got shape {:?}", times.shape);
            return Err(Error::argument("times", problem)).raise(&ctx);
        }
        let found = physics::hierarchy(&p, &times.values, &request, &task(&ctx)).raise(&ctx)?;
        Ok(found.iter().map(|at| Dynamic::from_map(accuracies(at))).collect())
    }
}

fn accuracies(found: &Accuracies) -> Map {
    let levels: Array = found.levels.iter().map(|level| estimate(*level).into()).collect();
    [
        ("time", Dynamic::from_float(found.time)),
        ("leaf_alone", estimate(found.leaf_alone).into()),
        ("levels", levels.into()),
    ]
    .map(|(name, value)| (name.into(), value))
    .into()
}
