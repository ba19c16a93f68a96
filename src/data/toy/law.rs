//! What a toy set says of itself.

use std::fmt;

use crate::data::Moments;
use crate::error::Result;
use crate::rng::Stream;

/// A law in the plane that is drawn by a formula.
///
/// Where it has classes they are equally likely, and the class of a datum is what `choose` makes of its fine-grained
/// uniform.
pub trait Toy: fmt::Debug + Send + Sync {
    /// What scripts call it.
    fn name(&self) -> &'static str;

    /// What it is, in a few words.
    fn title(&self) -> String;

    /// Number of its classes; 1 where it has none.
    fn classes(&self) -> usize;

    /// Refuses what no law has.
    ///
    /// # Errors
    /// Names the field and its range.
    fn check(&self) -> Result<()>;

    /// Exact mean and covariance.
    fn moments(&self) -> Moments;

    /// Fills `out`, [2, count] component-major, with data of (`step`, `block`).
    fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]);
}
