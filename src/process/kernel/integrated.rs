//! Kernels of a linear process whose coefficients depend on the time in any way.
//!
//! [0, T] is cut once into steps that are accurate to 10⁻¹² (each compared with its two halves), and the law at the
//! start of each is kept. A kernel is the last law before its time and one step from there, computed anew and not
//! interpolated: so the kernel at t = 10⁻⁸ is one step of length 10⁻⁸, with all its digits.

use std::sync::Arc;

use super::Transition;
use super::mesh::Mesh;
use super::passage::{LONGEST, Passage, Step};
use super::stretch::Stretch;
use crate::error::{Error, Result};
use crate::process::definition::Timeline;
use crate::settings::written;

/// Difference of a step from its halves that is accepted, of each entry by itself.
const TOLERANCE: f64 = 1e-12;
/// The same for what is left of a component given those before it, which amplifies rounding.
const PIVOT_TOLERANCE: f64 = 1e-10;
/// Below this part of its standard deviation, what is left of a component given those before it is rounding.
const BOUND: f64 = 1e-7;

/// Differences below this are none: squares of such numbers are beyond the range of floating point.
const SMALLEST: f64 = 1e-140;

/// A process integrated over [0, T].
#[derive(Debug)]
pub(in crate::process) struct Integrated {
    timeline: Arc<Timeline>,
    horizon: f64,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    stretch: Stretch,
    /// From 0 to the start of the piece, the law at t = 0 included.
    before: Passage,
    /// From its start to its end, the factor triangular.
    own: Passage,
}

impl Integrated {
    /// Integrates over [0, `horizon`].
    ///
    /// # Errors
    /// When a coefficient has no finite value, or changes too fast.
    pub(super) fn new(timeline: Arc<Timeline>, horizon: f64) -> Result<Self> {
        let linear = timeline.constant();
        let size = linear.size();
        let part = |stretch| Step::new(|time| timeline.at(time), stretch, LONGEST);
        let (integrands, places) = (timeline.integrands(), timeline.switching_times(horizon));
        let mesh = Mesh::new(timeline.course(), &integrands, &places, horizon);
        let steps = mesh.subdivide(part, agree)?;
        let factor = linear.start_factor.clone();
        let mut law = Passage { offset: linear.start_mean.clone(), factor, ..Passage::still(size) };
        let mut pieces = Vec::with_capacity(steps.len());
        for (stretch, step) in steps {
            let own = step.passage.triangular();
            let after = law.then(&own);
            pieces.push(Piece { stretch, before: law, own });
            law = after;
        }
        Ok(Self { timeline, horizon, pieces })
    }

    /// The law of z at `time`, the start averaged over.
    pub(super) fn kernel(&self, time: f64) -> Result<Transition> {
        let time = within(time, self.horizon)?;
        let Piece { stretch, before, .. } = &self.pieces[self.place(time)];
        Transition::from(before.then(&self.step(Stretch { to: time, ..*stretch })?)).finite(time)
    }

    /// The transition from the time `from` to `to`.
    pub(super) fn transition(&self, from: f64, to: f64) -> Result<Transition> {
        let (from, to) = (within(from, self.horizon)?, within(to, self.horizon)?);
        let (first, last) = (self.place(from), self.place(to));
        let stretch = Stretch { from, ..self.pieces[first].stretch };
        if first == last {
            return Transition::from(self.step(Stretch { to, ..stretch })?).finite(to);
        }
        let mut passage = self.step(stretch)?;
        for piece in &self.pieces[first + 1..last] {
            passage = passage.then(&piece.own);
        }
        Transition::from(passage.then(&self.step(Stretch { to, ..self.pieces[last].stretch })?)).finite(to)
    }

    /// The piece that holds `time`.
    fn place(&self, time: f64) -> usize {
        self.pieces.partition_point(|piece| piece.stretch.from <= time) - 1
    }

    /// The step over a part of one piece.
    fn step(&self, stretch: Stretch) -> Result<Passage> {
        let Stretch { from, to, .. } = stretch;
        if from == to {
            return Ok(Passage::still(self.timeline.constant().size()));
        }
        // A part of a piece is no longer than the piece, but its nodes are others: the drift may be larger there.
        let step = Step::new(|time| self.timeline.at(time), stretch, 2.0 * LONGEST)?;
        let step = step.ok_or_else(|| {
            Error::numerical(format!("the drift cannot be integrated from t = {from} to {to}: it changes too fast"))
        })?;
        Ok(step.passage)
    }
}

/// Whether one step does what its two halves do, up to what is tolerated and `more`.
fn agree([whole, left, right]: [&Step; 3], more: f64) -> bool {
    let fine = left.passage.then(&right.passage);
    let coarse = whole.passage.clone().triangular();
    let near = |a: f64, b: f64, size: f64, tolerance: f64| (a - b).abs() <= (tolerance + more) * size + SMALLEST;
    let transfer = coarse.transfer.iter().zip(&fine.transfer).zip(&whole.transfer_size);
    let offset = coarse.offset.iter().zip(&fine.offset).zip(&whole.offset_size);
    // Beside a component that is too small to have digits, that of the next is split by chance.
    let mut has_digits = true;
    transfer.chain(offset).all(|((&a, &b), &size)| near(a, b, size, TOLERANCE))
        && coarse.factor.row_iter().zip(fine.factor.row_iter()).enumerate().all(|(i, (a, b))| {
            let spread = b.norm();
            let is_split_by_chance = !has_digits;
            has_digits &= spread > SMALLEST;
            let free = b[i] <= BOUND * spread || near(a[i], b[i], b[i], PIVOT_TOLERANCE);
            let is_same = || free && a.iter().zip(b.iter()).all(|(&a, &b)| near(a, b, spread, TOLERANCE / BOUND));
            near(a.norm(), spread, spread, TOLERANCE) && (is_split_by_chance || is_same())
        })
}

/// `time` inside [0, `horizon`], of which rounding may have taken it out.
pub(super) fn within(time: f64, horizon: f64) -> Result<f64> {
    if !(time >= 0.0 && time.is_finite()) {
        return Err(Error::argument("t", format!("must be a finite time ≥ 0, got {}", written(time))));
    }
    if time <= horizon * (1.0 + 4.0 * f64::EPSILON) {
        return Ok(time.min(horizon));
    }
    Err(Error::argument(
        "t",
        format!("must be at most the horizon {} of the process, got {}", written(horizon), written(time)),
    )
    .with_hint("coefficients that depend on the time are known up to the horizon: raise it"))
}
