//! The coordinates in which a score sees states.
//!
//! Under a linear process the mean of the noised data is known, and a turn of the data's coordinates commutes with
//! independent copies of the process. So scores of a known kernel, and the samplers that follow them, work on
//! y = Vᵀ(z − E z_t), V being the axes of the data: no digits are lost to a large mean, and copies are independent for
//! correlated Gaussian data too. States cross here, where they enter a sampler and where they leave it; and so do the
//! units of normalised data, whose first block is in units of the data outside. Auxiliaries stay as the process has
//! them.

use super::{Coordinates, Score};
use crate::data::{Moments, Units};
use crate::error::Result;
use crate::process::Process;
use crate::vector::single;

/// Between states at one time and what a score sees of them.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    /// The mean of the state, [m·copies], where it is taken off.
    mean: Option<Vec<f64>>,
    /// Where coordinates are turned.
    turned: Option<&'a Moments>,
    /// The units of the data, where these are normalised, and the number of their coordinates.
    units: Option<&'a Units>,
    dimension: usize,
}

impl<'a> Chart<'a> {
    /// At `time` ≥ 0.
    ///
    /// # Errors
    /// When the kernel leaves the range of floating point.
    pub fn new(score: &'a dyn Score, time: f64) -> Result<Self> {
        let (process, moments, units) = (score.process(), score.moments(), score.units());
        let own = Self { mean: None, turned: None, units, dimension: moments.mean.len() };
        if score.coordinates() == Coordinates::Own {
            return Ok(own);
        }
        let mean = process.kernel(time)?.mean(&moments.mean);
        Ok(Self { mean: Some(mean), turned: turned(process, moments), ..own })
    }

    /// Whether states differ from what the score sees.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.mean.is_some() || self.units.is_some()
    }

    /// What the score sees of states, component-major [m·copies, samples], in their place.
    pub fn enter(&self, samples: usize, rows: &mut [f32]) {
        if !self.changes() {
            return;
        }
        self.each(samples, rows, |first, vector| {
            if let Some(units) = self.units.filter(|_| first < self.dimension) {
                (first..).zip(&mut *vector).for_each(|(c, x)| *x = units.normalise(c, *x));
            }
            if let Some(mean) = &self.mean {
                vector.iter_mut().zip(&mean[first..]).for_each(|(z, mean)| *z -= mean);
            }
            if let Some(moments) = self.turned {
                moments.turn(vector);
            }
        });
    }

    /// The states of which the score sees `rows`, component-major [m·copies, samples], in their place.
    pub fn leave(&self, samples: usize, rows: &mut [f32]) {
        if !self.changes() {
            return;
        }
        self.each(samples, rows, |first, vector| {
            if let Some(moments) = self.turned {
                moments.turn_back(vector);
            }
            if let Some(mean) = &self.mean {
                vector.iter_mut().zip(&mean[first..]).for_each(|(z, mean)| *z += mean);
            }
            if let Some(units) = self.units.filter(|_| first < self.dimension) {
                (first..).zip(&mut *vector).for_each(|(c, x)| *x = units.restore(c, *x));
            }
        });
    }

    /// The gradients by states where the score gives `rows`, component-major [driven·copies, samples], in their place.
    pub fn leave_gradients(&self, driven: &[usize], samples: usize, rows: &mut [f32]) {
        let copies = rows.len() / (driven.len() * samples);
        self.each(samples, rows, |first, vector| {
            if let Some(moments) = self.turned {
                moments.turn_back(vector);
            }
            let coordinate = driven[first / copies] * copies + first % copies;
            if let Some(units) = self.units.filter(|_| coordinate < self.dimension) {
                (coordinate..).zip(&mut *vector).for_each(|(c, slope)| *slope /= units.scale[c]);
            }
        });
    }

    /// Calls `change(first, vector)` with the copies of each component of each sample, `first` being their first row;
    /// one row at a time where coordinates are not turned.
    fn each(&self, samples: usize, rows: &mut [f32], change: impl Fn(usize, &mut [f64])) {
        let width = self.turned.map_or(1, |moments| moments.mean.len());
        let mut vector = vec![0.0; width];
        for (component, rows) in rows.chunks_exact_mut(width * samples).enumerate() {
            for sample in 0..samples {
                vector.iter_mut().zip(rows.iter().skip(sample).step_by(samples)).for_each(|(v, z)| *v = f64::from(*z));
                change(component * width, &mut vector);
                let slots = rows.iter_mut().skip(sample).step_by(samples);
                slots.zip(&vector).for_each(|(z, v)| *z = single(*v));
            }
        }
    }
}

/// The moments whose axes the data are turned to, where they have any: coupled coordinates stay as they are.
pub(crate) fn turned<'a>(process: &Process, moments: &'a Moments) -> Option<&'a Moments> {
    (process.coordinates().is_none() && moments.axes.is_some()).then_some(moments)
}
