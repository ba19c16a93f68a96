//! Scores of one class of the data.

use rhai::plugin::*;
use rhai::{Dynamic, Engine, Map};

use super::dataset::label_argument;
use super::score::Score;
use crate::error::Error;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::options::{Tables, read};
use crate::settings::Setting;

/// Registers the function.
pub(super) fn install(engine: &mut Engine, tables: &mut Tables) {
    let module = tables.module("", rhai::exported_manifest!(functions), &[("given", &[CONDITION])]);
    engine.register_global_module(module.into());
}

const CONDITION: &[Setting] =
    &[Setting::number("guidance", "how far to go from the score of all data towards that of the class, and beyond it")
        .or(1.0)];

#[export_module(manifest)]
mod functions {
    /// The score of the data of one class, of a network that is told classes: with it samplers draw that class.
    ///
    /// Without a class the score is that of all data. A guidance w above 1 gives s + w (s_class - s), whose samples
    /// show the class more and vary less, and which takes twice the time; they are then no longer those of the class.
    /// Samples of two classes under one seed begin from the same noise, and are alike: give each class a seed.
    ///
    /// # Arguments
    /// - `class`: the label, one of `d.classes`; a number is taken as its digits
    ///
    /// # Returns
    /// A `Score` that shares the weights of this one.
    ///
    /// # Errors
    /// When the network is told no classes, or there is none of that name.
    ///
    /// # Source
    /// Ho and Salimans, arXiv 2207.12598.
    ///
    /// # Example
    /// ```rhai
    /// let d = dataset::digits();
    /// let m = score::unet(process::passive(), d, #{ channels: 8, multipliers: [1], blocks: 1, classes: true });
    /// let s = sample(m.given("7", #{ guidance: 2 }), #{ count: 2, steps: 2 });
    /// assert_eq(s.x.shape, [2, 8, 8]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn given(ctx: NativeCallContext, score: Score, class: Dynamic, options: Map) -> Outcome<Score> {
        let class = label_argument(&ctx, "class", &class)?;
        let guidance = read(&ctx, options, &[CONDITION], |given| Ok(given.number("guidance")))?;
        match score {
            Score::Learned(learned) => learned.given(&class, guidance).map(Score::Learned),
            Score::Exact(_) => Err(Error::argument("score", "is exact, of all data")
                .with_hint("make the exact score of the data of the class alone")),
        }
        .raise(&ctx)
    }
}
