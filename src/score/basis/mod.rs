//! What the network of a learned score is shown, and what its answer means.
//!
//! ŝ_d(z, t) = s_G,d(z, t) + NN(u, t)/ℓ_d: s_G is a score that is known, of a Gaussian, u the state normalised by the
//! mean and variance of that Gaussian, and ℓ_d the standard deviation of a driven component given all that noised it.
//! It generalises the mixed score of Dockhorn, Vahdat, Kreis, arXiv 2112.07068, whose Gaussian part is −v/Σ_vv. The
//! network learns what is not Gaussian and answers in units of order one.
//!
//! A kind of basis is a file that implements [`Basis`], a line in the list in `kinds.rs`, by which saved models are
//! read, and an objective that trains on it.

mod equilibrium;
mod frame;
mod kernel;
mod kinds;
mod simulated;

use std::any::Any;
use std::fmt;

use serde_json::Value;

pub use equilibrium::{Balance, Balancing};
pub use frame::{Frame, Gaussian};
pub(crate) use frame::{Rounded, Tile};
pub use kernel::{KernelBasis, Perturbation};
pub(super) use kinds::restore;
pub use simulated::{Measured, SimulatedBasis, Simulation};

use super::Coordinates;
use super::circle::moments;
use super::scales::MUCH_SIGNAL;
use crate::data::{Dataset, Moments, Units};
use crate::error::{Error, Result};
use crate::nn::graph::Extent;
use crate::process::{Prior, PriorLaw, Process};

/// What a score is of: a process, and what is known of the data that it noises.
#[derive(Debug, Clone)]
pub struct Subject {
    process: Process,
    shape: Vec<usize>,
    moments: Moments,
    units: Option<Units>,
    classes: Vec<String>,
    copies: usize,
}

impl Subject {
    /// `process` with data like `data`.
    ///
    /// # Errors
    /// When the process couples another number of coordinates than the data have.
    pub fn of(process: &Process, data: &Dataset) -> Result<Self> {
        let moments = moments(process, data)?;
        let subject = Self::new(process.clone(), data.shape().to_vec(), moments, data.units().cloned())?;
        Ok(subject.with_classes(data.classes().to_vec()))
    }

    /// The same with data of these classes.
    #[must_use]
    pub fn with_classes(self, classes: Vec<String>) -> Self {
        Self { classes, ..self }
    }

    /// `process` with data of `shape` and `moments`, in these `units` where they are normalised.
    ///
    /// # Errors
    /// When moments or units are not those of data of that shape, or the process couples another number of coordinates.
    pub fn new(process: Process, shape: Vec<usize>, moments: Moments, units: Option<Units>) -> Result<Self> {
        let Moments { mean, variances, axes } = &moments;
        let d = mean.len();
        let dimension = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
        let fits = variances.len() == d
            && axes.as_ref().is_none_or(|axes| axes.shape() == (d, d))
            && units.as_ref().is_none_or(|units| units.fit(d));
        let is_fine = variances.iter().all(|variance| *variance >= 0.0 && variance.is_finite());
        if dimension != Some(d) || d == 0 || !fits || !is_fine {
            let variance = moments.variance();
            return Err(Error::numerical(format!("its data has shape {shape:?}, {d} means and variance {variance}")));
        }
        let copies = process.copies(mean.len())?;
        Ok(Self { process, shape, moments, units, classes: Vec::new(), copies })
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Shape of one datum.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Mean and covariance of the data.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// The units of the data, where these are normalised.
    pub fn units(&self) -> Option<&Units> {
        self.units.as_ref()
    }

    /// The names of the classes of the data, where these are told apart.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The same, but with one variance for all coordinates where data are images: what networks of windows are shown
    /// must mean the same at every pixel, and pixels that hardly vary would else be shown as noise alone.
    #[must_use]
    pub fn as_images(self) -> Self {
        let moments = if self.image().is_some() { self.moments.pooled() } else { self.moments };
        Self { moments, ..self }
    }

    /// The same without correlations between coordinates.
    fn along_coordinates(self) -> Self {
        Self { moments: self.moments.along_coordinates(), ..self }
    }

    /// Independent copies of the process that a datum takes.
    pub fn copies(&self) -> usize {
        self.copies
    }

    /// Numbers of a sample's state, m·copies.
    pub fn rows(&self) -> usize {
        self.process.components() * self.copies
    }

    /// Numbers of the state that are angles: all data, or none.
    pub fn angles(&self) -> usize {
        if self.process.is_periodic() { self.copies } else { 0 }
    }

    /// Numbers that a network is shown of a sample's state: all, with the cosine of an angle in its place and its sine
    /// behind all others.
    pub fn inputs(&self) -> usize {
        self.rows() + self.angles()
    }

    /// How networks of layers see a state and shape their answer: data of two or three axes, whose coordinates are
    /// independent copies, as images with the channels of all blocks, others as vectors.
    pub fn views(&self) -> (Extent, Extent) {
        let (blocks, driven) = (self.inputs() / self.copies, self.process.driven().len());
        match self.image() {
            Some(image) => [blocks, driven].map(|blocks| image.with_channels(blocks * image.channels)).into(),
            None => (Extent::vector(self.inputs()), Extent::vector(self.outputs())),
        }
    }

    /// The shape of data that are images.
    fn image(&self) -> Option<Extent> {
        let image = match self.shape[..] {
            [height, width] => Extent { channels: 1, height, width },
            [channels, height, width] => Extent { channels, height, width },
            _ => return None,
        };
        (image.size() == self.copies && !image.is_vector()).then_some(image)
    }

    /// Numbers of a sample's score, driven·copies: what a network answers.
    pub fn outputs(&self) -> usize {
        self.process.driven().len() * self.copies
    }
}

/// What a network is shown and what its answer means, for one process and data distribution.
///
/// An objective that trains on a basis takes it as what it is, by [`Any`].
pub trait Basis: Any + fmt::Debug + Send + Sync {
    /// Its kind, as files name it.
    fn kind(&self) -> &'static str;

    /// What, besides its kind and subject, makes it again: a JSON object.
    fn description(&self) -> Value;

    /// The process and the data.
    fn subject(&self) -> &Subject;

    /// What the network is shown and what its answer is worth at `time`, above 0.
    ///
    /// # Errors
    /// When the noised state has no density there.
    fn at(&self, time: f64) -> Result<Frame>;

    /// The coordinates in which it sees states.
    fn coordinates(&self) -> Coordinates {
        Coordinates::Principal
    }

    /// The law from which the reverse process starts unless another is asked for.
    fn usual_prior(&self) -> PriorLaw {
        PriorLaw::Matched
    }

    /// The law `law` at the horizon.
    ///
    /// # Errors
    /// When it does not exist for this process.
    fn prior(&self, law: PriorLaw) -> Result<Prior> {
        Prior::new(self.subject().process(), self.subject().moments(), law)
    }

    /// The least and the largest value that each component and copy may take on the way, [m·copies], where nothing is
    /// known of the score beyond.
    fn walls(&self) -> Option<Vec<[f32; 2]>> {
        None
    }

    /// A thread's own means of adding what frames have besides a Gaussian part to the scores of up to so many samples.
    fn balancing(&self, _width: usize) -> Option<Balancing<'_>> {
        None
    }

    /// What a user should know of it besides the process, in a few words.
    fn note(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::fixtures::{Active, passive};

    #[test]
    fn images_are_seen_as_images() {
        let of = |process: &Process, shape: &[usize]| {
            let d = shape.iter().product();
            Subject::new(process.clone(), shape.to_vec(), Moments::isotropic(vec![0.0; d], 1.0), None).unwrap()
        };
        let extents = |subject: &Subject| {
            let (inputs, outputs) = subject.views();
            [inputs, outputs].map(|extent| (extent.channels, extent.height, extent.width))
        };
        // Two blocks, both driven.
        let active = Active { passive: 0.3, ..Active::default() }.process();
        assert_eq!(extents(&of(&active, &[4, 5])), [(2, 4, 5), (2, 4, 5)]);
        assert_eq!(extents(&of(&active, &[3, 4, 5])), [(6, 4, 5), (6, 4, 5)]);
        // Of active noise alone, one.
        assert_eq!(extents(&of(&Active::default().process(), &[3, 4, 5])), [(6, 4, 5), (3, 4, 5)]);
        // One row of pixels is none.
        for shape in [&[7][..], &[1, 1], &[2, 1, 1], &[1, 2, 2, 2]] {
            let subject = of(&passive(), shape);
            let d = shape.iter().product();
            assert_eq!((subject.image().is_none(), subject.views()), (true, (Extent::vector(d), Extent::vector(d))));
        }
    }
}
