//! The squares of one colour of a chessboard.

use nalgebra::DMatrix;

use super::Toy;
use crate::data::Moments;
use crate::data::uniforms::{choose, for_each_uniform};
use crate::dispatched;
use crate::error::Result;
use crate::rng::Stream;
use crate::settings::{Setting, Values, named};
use crate::vector::single;

/// Uniform on every second square of a board around the origin whose squares have sides of 1, the lower left one of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkerboard {
    /// Squares along each side of the board.
    pub squares: usize,
}

impl Checkerboard {
    /// What can be set by name.
    pub const SETTINGS: &'static [Setting] =
        &[Setting::count("squares", "squares of side 1 along each side of the board").between(1.0, 1000.0).or(4.0)];

    /// The law that `values` of [`Checkerboard::SETTINGS`] describe.
    pub fn read(values: &Values) -> Self {
        Self { squares: values.count("squares") }
    }

    /// Lower left corners of the squares that have data: those of even column + row, counted from the lower left.
    #[inline(always)]
    fn corner(&self, square: usize) -> [f64; 2] {
        // Two rows have as many squares together as a side has.
        let (pair, place) = (square / self.squares, square % self.squares);
        let first = self.squares.div_ceil(2);
        let (row, column) = if place < first { (2 * pair, 2 * place) } else { (2 * pair + 1, 2 * (place - first) + 1) };
        [column, row].map(|at| at as f64 - 0.5 * self.squares as f64)
    }

    fn occupied(&self) -> usize {
        (self.squares * self.squares).div_ceil(2)
    }
}

impl Toy for Checkerboard {
    fn name(&self) -> &'static str {
        "checkerboard"
    }

    fn title(&self) -> String {
        format!("checkerboard of {0} x {0} squares", self.squares)
    }

    fn classes(&self) -> usize {
        1
    }

    fn check(&self) -> Result<()> {
        named(Self::SETTINGS, "squares").check_value(self.squares as f64)
    }

    fn moments(&self) -> Moments {
        let centres = || (0..self.occupied()).map(|square| self.corner(square).map(|at| at + 0.5));
        let mean = |of: &dyn Fn([f64; 2]) -> f64| centres().map(of).sum::<f64>() / self.occupied() as f64;
        let centre = [mean(&|[x, _]| x), mean(&|[_, y]| y)];
        let covariance = DMatrix::from_fn(2, 2, |a, b| {
            let within = if a == b { 1.0 / 12.0 } else { 0.0 };
            mean(&|at| (at[a] - centre[a]) * (at[b] - centre[b])) + within
        });
        // What is 0 but for rounding is none.
        Moments::correlated(centre.to_vec(), &covariance, 1e-12)
    }

    fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        squares(self, stream, step, block, out);
    }
}

dispatched! {
    fn squares(law: &Checkerboard, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        stream.uniforms(step, block, out);
        let (xs, ys) = out.split_at_mut(out.len() / 2);
        let occupied = law.occupied();
        for_each_uniform(stream, step, block, xs.len(), #[inline(always)] |i, u| {
            let [x, y] = law.corner(choose(u, occupied).0);
            xs[i] += single(x);
            ys[i] += single(y);
        });
    }
}
