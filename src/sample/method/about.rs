//! What a method says of itself.

use std::fmt::Debug;
use std::sync::Arc;

use crate::error::Result;
use crate::sample::integrator::Tolerance;
use crate::sample::plan::Stepper;
use crate::sample::problem::Problem;
use crate::settings::{Setting, Values};

/// A method that follows the reverse process, or its probability flow.
pub trait Method: Debug + Send + Sync {
    /// What it is.
    fn about(&self) -> &'static About;

    /// Its numbers in words, as results carry them: "order 3"; nothing where it has none.
    fn words(&self) -> String {
        String::new()
    }

    /// Refuses numbers out of range.
    ///
    /// # Errors
    /// Names the setting, what it may be, and what it is.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Whether its steps are exact for Gaussian data under their score, whatever their length.
    fn is_exact_for_gaussians(&self) -> bool {
        self.about().needs == Needs::Linear
    }

    /// How it is run. Methods are made in this room only.
    #[doc(hidden)]
    fn way(&self) -> Way<'_>;
}

/// A method as scripts, help and explanations know it.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Its name in scripts.
    pub name: &'static str,
    /// What it does, in a line of a list of options.
    pub meaning: &'static str,
    /// Its name in words, above its equations.
    pub title: &'static str,
    /// One step from t to t − h in text, line by line: b is the drift of the reverse process, u the velocity of its
    /// flow, h the step, and ξ are standard normals.
    pub text: &'static [&'static str],
    /// The step in LaTeX, lines of an `align*`.
    pub latex: &'static [&'static str],
    /// Number of steps where none is given; of no meaning for adaptive ones.
    pub steps: usize,
    /// What can be set of it.
    pub settings: &'static [Setting],
    /// Which processes it can follow.
    pub needs: Needs,
    /// The method with these settings.
    pub read: fn(&Values) -> Arc<dyn Method>,
}

/// Which processes a method can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Any.
    Any,
    /// Those that are linear, for their kernel.
    Linear,
}

/// How a method is run.
pub enum Way<'a> {
    /// By steps through given times.
    Fixed(&'a dyn Fixed),
    /// On the flow, with steps by their error.
    Adaptive(Tolerance),
}

/// The steps of a method through given times.
pub trait Fixed {
    /// The parts of each step, after what all steps have in common.
    ///
    /// # Errors
    /// When the process does not have what the method needs.
    fn stepper<'a>(&'a self, problem: &'a Problem<'a>) -> Result<Stepper<'a>>;
}
