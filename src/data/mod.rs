//! Datasets and file formats.

pub mod formats;
mod mixture;
mod moments;
mod points;
mod rounding;
mod swiss_rolls;
mod uniforms;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use mixture::{Covariance, Mixture};
pub use moments::Moments;

use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};
use crate::task::Task;
use crate::tensor::{self, Tensor};
use points::Points;

/// A distribution of data that can be drawn from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dataset(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    shape: Vec<usize>,
    moments: Moments,
    law: Law,
    /// Of the points, in their order; none where they have none.
    labels: Vec<String>,
}

#[derive(Debug)]
enum Law {
    Mixture(Mixture, mixture::Sampler),
    SwissRolls,
    Points(Points),
}

/// Samples that [`Dataset::sample`] draws together; part of what a seed means.
const BLOCK: usize = 256;

impl Dataset {
    /// A Gaussian mixture; a datum is a point of d coordinates.
    ///
    /// # Errors
    /// When a covariance has no Cholesky factor.
    pub fn from_mixture(name: &str, mixture: Mixture) -> Result<Self> {
        let sampler = mixture::Sampler::new(&mixture)?;
        let (shape, moments) = (vec![mixture.dimension()], mixture.moments());
        Ok(Self::with_law(name, shape, moments, Law::Mixture(mixture, sampler)))
    }

    /// The [diamond](Mixture::diamond) of nine Gaussians.
    ///
    /// # Errors
    /// When `spacing` or `std` is not above 0.
    pub fn diamond(spacing: f64, std: f64) -> Result<Self> {
        Self::from_mixture("diamond", Mixture::diamond(spacing, std)?)
    }

    /// Five Swiss rolls, one at the origin and one in each quadrant at (±0.8, ±0.8) (arXiv 2411.07233).
    pub fn swiss_rolls() -> Self {
        Self::with_law("swiss_rolls", vec![2], swiss_rolls::moments(), Law::SwissRolls)
    }

    /// Finite data: `points` is [n, shape...], and \[n\] is read as [n, 1]. A draw takes a row at random.
    ///
    /// # Errors
    /// When `points` is empty, is a single number, or holds values that are not finite.
    pub fn from_points(name: &str, points: Tensor) -> Result<Self> {
        let points = Points::new(points)?;
        Ok(Self::with_law(name, points.datum_shape().to_vec(), points.moments(), Law::Points(points)))
    }

    /// Finite data from a file of numbers.
    ///
    /// # Errors
    /// As [`formats::read`] and [`Dataset::from_points`], naming the file.
    pub fn from_file(path: &Path, options: &formats::Options, task: &Task) -> Result<Self> {
        let array = formats::read(path, options, task.host())?;
        let (points, notes) = array.rounded(path)?;
        array.notes.iter().chain(&notes).for_each(|note| task.warn(note));
        let name = path.file_stem().map_or_else(|| "file".into(), |stem| stem.to_string_lossy());
        let data = Self::from_points(&name, points).map_err(|error| match error {
            Error::Argument { problem, hint, .. } => {
                Error::File { action: "use", path: path.to_owned(), reason: format!("it {problem}"), hint }
            }
            other => other,
        })?;
        Ok(data.with_labels(array.labels))
    }

    /// The same data with a label for each point; of finite data only.
    fn with_labels(mut self, labels: Vec<String>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.labels = labels;
        }
        self
    }

    fn with_law(name: &str, shape: Vec<usize>, moments: Moments, law: Law) -> Self {
        Self(Arc::new(Inner { name: name.to_owned(), shape, moments, law, labels: Vec::new() }))
    }

    /// The name, as plots and saved models show it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Shape of one datum.
    pub fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    /// Number of coordinates of one datum, d: the product of the shape.
    pub fn dimension(&self) -> usize {
        self.0.shape.iter().product()
    }

    /// Mean and variance: exact for mixtures and Swiss rolls, those of the points for finite data.
    pub fn moments(&self) -> &Moments {
        &self.0.moments
    }

    /// The mixture, where the data is one.
    pub fn mixture(&self) -> Option<&Mixture> {
        match &self.0.law {
            Law::Mixture(mixture, _) => Some(mixture),
            _ => None,
        }
    }

    /// The points of finite data, [n, shape...].
    pub fn points(&self) -> Option<&Tensor> {
        match &self.0.law {
            Law::Points(points) => Some(points.tensor()),
            _ => None,
        }
    }

    /// The label of each point of finite data, where its file had them.
    pub fn labels(&self) -> &[String] {
        &self.0.labels
    }

    /// Fills `out` with data of (`step`, `block`), component-major [d, count], count = `out.len()` / d. Allocates
    /// nothing. A different count gives different data.
    ///
    /// # Panics
    /// In debug builds, when d does not divide the length of `out`.
    pub fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        debug_assert!(out.len().is_multiple_of(self.dimension()), "{} values of {:?}", out.len(), self.shape());
        match &self.0.law {
            Law::Mixture(_, sampler) => sampler.draw(stream, step, block, out),
            Law::SwissRolls => swiss_rolls::draw(stream, step, block, out),
            Law::Points(points) => points.draw(stream, step, block, out),
        }
    }

    /// `count` data, [count, shape...]. The first data of a longer sample with the same seed are the same.
    ///
    /// # Errors
    /// When `count` is 0 or the sample would not fit into memory, or interrupted.
    pub fn sample(&self, count: usize, seed: u64, task: &Task) -> Result<Tensor> {
        if count == 0 {
            return Err(Error::argument("count", "must be at least 1, got 0"));
        }
        let d = self.dimension();
        let shape = [&[count], self.shape()].concat();
        let mut values = tensor::allocate(&shape, task.host())?;
        let stream = Stream::new(seed, Purpose::Data);
        let mut block = tensor::allocate(&[d, BLOCK], task.host())?;
        for (index, rows) in values.chunks_mut(BLOCK * d).enumerate() {
            task.check()?;
            // Whole blocks even at the end: a shorter draw would be a different one.
            self.draw(&stream, 0, index as u32, &mut block);
            for (i, row) in rows.chunks_exact_mut(d).enumerate() {
                for (c, value) in row.iter_mut().enumerate() {
                    *value = block[c * BLOCK + i];
                }
            }
        }
        Tensor::new(&shape, values)
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        match &self.0.law {
            Law::Mixture(mixture, _) => write!(f, "mixture of {} Gaussians", mixture.components())?,
            Law::SwissRolls => write!(f, "five Swiss rolls")?,
            Law::Points(points) => write!(f, "{} points", points.tensor().shape()[0])?,
        }
        write!(f, ", datum of shape {:?}, variance {:.4}", self.shape(), self.moments().variance)?;
        let kinds: BTreeSet<_> = self.labels().iter().collect();
        if kinds.is_empty() { Ok(()) } else { write!(f, ", {} labels", kinds.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [Dataset; 3] {
        let values = (0..30).map(|v| v as f32).collect();
        [
            Dataset::diamond(0.5, 0.04).unwrap(),
            Dataset::swiss_rolls(),
            Dataset::from_points("points", Tensor::new(&[15, 2], values).unwrap()).unwrap(),
        ]
    }

    #[test]
    fn a_short_sample_begins_a_long_one() {
        let task = Task::default();
        for data in all() {
            let long = data.sample(3000, 7, &task).unwrap();
            for count in [1, 100, 256, 257, 1500] {
                assert_eq!(
                    data.sample(count, 7, &task).unwrap().values()[..],
                    long.values()[..2 * count],
                    "{}",
                    data.name()
                );
            }
            assert_ne!(data.sample(3000, 8, &task).unwrap(), long);
        }
    }

    #[test]
    fn impossible_counts_are_refused() {
        let (data, task) = (Dataset::swiss_rolls(), Task::default());
        assert!(data.sample(0, 1, &task).unwrap_err().to_string().contains("at least 1"));
        let problem = data.sample(usize::MAX, 1, &task).unwrap_err().to_string();
        assert!(problem.contains("128.0 EiB"), "{problem}");
    }

    #[test]
    fn what_the_prompt_shows() {
        let [diamond, rolls, points] = all().map(|data| data.to_string());
        assert_eq!(diamond, "diamond: mixture of 9 Gaussians, datum of shape [2], variance 0.1683");
        assert_eq!(rolls, "swiss_rolls: five Swiss rolls, datum of shape [2], variance 0.5166");
        assert_eq!(points, "points: 15 points, datum of shape [2], variance 74.6667");
    }

    /// The first draws, pinned: a change here changes every published figure.
    #[test]
    fn seeds_keep_their_meaning() {
        let [diamond, rolls, points] =
            all().map(|data| data.sample(2, 1, &Task::default()).unwrap().values().into_owned());
        assert_eq!(diamond, [-0.28562814, -0.39448485, -0.4027487, 0.36724672]);
        assert_eq!(rolls, [0.10717861, 0.0801009, 0.823578, -0.6622729]);
        assert_eq!(points, [4.0, 5.0, 16.0, 17.0]);
    }
}
