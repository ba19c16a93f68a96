//! Units in which data are measured.

use serde::{Deserialize, Serialize};

use super::Moments;
use crate::settings::Choice;
use crate::tensor::Tensor;
use crate::vector::single;

/// The units of normalised data: a datum is x = shift + scale x̃, coordinate by coordinate, where x̃ is what a process
/// noises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Units {
    /// \[d\].
    pub shift: Vec<f64>,
    /// Each above 0, \[d\].
    pub scale: Vec<f64>,
}

/// How data are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalisation {
    /// They stay as they are.
    None,
    /// Every coordinate to mean 0 and variance 1, one without variance to mean 0.
    Coordinate,
    /// To mean 0 and an average variance of 1, with one scale for all coordinates.
    Whole,
}

/// What scripts call them.
pub const NORMALISATIONS: &[(Choice, Normalisation); 3] = &[
    (Choice::new("none", "data as they are"), Normalisation::None),
    (Choice::new("coordinate", "every coordinate to mean 0 and variance 1"), Normalisation::Coordinate),
    (
        Choice::new("whole", "mean 0, and one scale for all coordinates to an average variance of 1"),
        Normalisation::Whole,
    ),
];

impl Units {
    /// The units that bring data of these `moments` to mean 0 and variance 1.
    pub(super) fn of(moments: &Moments, normalisation: Normalisation) -> Option<Self> {
        let deviation = |variance: f64| if variance > 0.0 { variance.sqrt() } else { 1.0 };
        let scale = match normalisation {
            Normalisation::None => return None,
            Normalisation::Coordinate => moments.coordinate_variances().into_iter().map(deviation).collect(),
            Normalisation::Whole => vec![deviation(moments.variance()); moments.mean.len()],
        };
        Some(Self { shift: moments.mean.clone(), scale })
    }

    /// How the data are normalised, in words.
    pub(super) fn way(&self) -> &'static str {
        match self.scale.iter().all(|scale| *scale == self.scale[0]) {
            true => "normalised as a whole",
            false => "normalised by coordinate",
        }
    }

    /// Moments of x for those of x̃.
    pub(super) fn moments(&self, own: &Moments) -> Moments {
        let mean = own.mean.iter().enumerate().map(|(c, m)| self.restore(c, *m)).collect();
        let variances = own.coordinate_variances();
        Moments {
            mean,
            variances: variances.iter().zip(&self.scale).map(|(variance, scale)| variance * scale * scale).collect(),
            axes: None,
        }
    }

    /// x̃ of a coordinate.
    #[must_use]
    pub fn normalise(&self, coordinate: usize, x: f64) -> f64 {
        (x - self.shift[coordinate]) / self.scale[coordinate]
    }

    /// x of a coordinate.
    #[must_use]
    pub fn restore(&self, coordinate: usize, normalised: f64) -> f64 {
        self.scale[coordinate].mul_add(normalised, self.shift[coordinate])
    }

    /// `values` with each number by `map`, where there are `units`; coordinates are the last axes.
    pub(crate) fn mapped(units: Option<&Self>, values: &Tensor, map: fn(&Self, usize, f64) -> f64) -> Tensor {
        let Some(units) = units else { return values.clone() };
        let d = units.scale.len();
        let changed =
            values.values().iter().enumerate().map(|(at, x)| single(map(units, at % d, f64::from(*x)))).collect();
        Tensor::new(values.shape(), changed).expect("as many values as before")
    }

    /// The logarithm of the volume that a unit of volume of x̃ takes.
    #[must_use]
    pub fn log_volume(&self) -> f64 {
        self.scale.iter().map(|scale| scale.ln()).sum()
    }

    /// Whether they are units of `dimension` coordinates.
    #[must_use]
    pub fn fit(&self, dimension: usize) -> bool {
        let is_fine = |values: &[f64]| values.len() == dimension && values.iter().all(|value| value.is_finite());
        is_fine(&self.shift) && is_fine(&self.scale) && self.scale.iter().all(|scale| *scale > 0.0)
    }
}
