//! Datasets and file formats.

mod fingerprint;
pub mod formats;
pub mod images;
pub mod ising;
mod labels;
mod mixture;
pub mod molecules;
mod moments;
mod part;
mod points;
mod rounding;
mod shipped;
mod spread;
#[cfg(test)]
mod tests;
pub mod toy;
mod uniforms;
mod units;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use ising::Ising;
use labels::Labels;
pub use mixture::{Covariance, Mixture};
pub use moments::{Detail, Moments, Uneven};
use nalgebra::DMatrix;

use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};
use crate::task::Task;
use crate::tensor::{self, Tensor, coarse, number};
use crate::vector::single;
use points::Points;
use toy::{SwissRolls, Toy};
use uniforms::{choose, for_each_uniform};
pub use units::{NORMALISATIONS, Normalisation, Units};

/// A distribution of data that can be drawn from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dataset(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    shape: Vec<usize>,
    /// Of the coordinates, where a table gave them.
    columns: Vec<String>,
    /// Of what is drawn.
    moments: Moments,
    law: Law,
    /// Where what is drawn is normalised data.
    units: Option<Units>,
    labels: Labels,
}

#[derive(Debug)]
enum Law {
    Mixture(Mixture, mixture::Sampler),
    Toy(Box<dyn Toy>),
    Points(Points),
    /// What is drawn from another one, normalised.
    Scaled(Dataset, Units),
}

/// Samples that [`Dataset::sample`] draws together; part of what a seed means.
const BLOCK: usize = 256;

impl Dataset {
    /// A Gaussian mixture; a datum is a point of d coordinates.
    ///
    /// # Errors
    /// When a covariance has no Cholesky factor.
    pub fn from_mixture(name: &str, mixture: Mixture) -> Result<Self> {
        let (shape, moments) = (vec![mixture.dimension()], mixture.moments());
        let sampler = mixture::Sampler::new(&mixture, &moments.mean)?;
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
        Self::of_toy(SwissRolls)
    }

    /// A [toy set](toy), a datum \[2\].
    ///
    /// # Errors
    /// When a field of it is out of its range.
    pub fn from_toy(toy: impl Toy + 'static) -> Result<Self> {
        toy.check()?;
        Ok(Self::of_toy(toy))
    }

    fn of_toy(toy: impl Toy + 'static) -> Self {
        let labels = Labels::of_law(toy.classes());
        Self::with_law(toy.name(), vec![2], toy.moments(), Law::Toy(Box::new(toy))).labelled_by(labels)
    }

    /// Finite data: `points` is [n, shape...], and \[n\] is read as [n, 1]. A draw takes a row at random.
    ///
    /// # Errors
    /// When `points` is empty, is a single number, or holds values that are not finite.
    pub fn from_points(name: &str, points: &Tensor) -> Result<Self> {
        Points::new(points).map(|points| Self::of_points(name, points))
    }

    /// The same of points of `shape` in double precision, row-major, whose deviations from their mean keep digits that
    /// single precision would lose.
    ///
    /// # Errors
    /// As [`Dataset::from_points`], and for values that single precision cannot hold.
    pub fn from_values(name: &str, shape: &[usize], values: &[f64]) -> Result<Self> {
        Points::from_f64(shape, values).map(|points| Self::of_points(name, points))
    }

    /// Lattices of the two-dimensional Ising model as finite data, a datum [size, size] of spins ±1.
    ///
    /// # Errors
    /// As [`Ising::lattices`].
    pub fn ising(ising: &Ising, task: &Task) -> Result<Self> {
        Self::from_points("ising", &ising.lattices(task)?)
    }

    fn of_points(name: &str, points: Points) -> Self {
        Self::with_law(name, points.datum_shape().to_vec(), points.moments(), Law::Points(points))
    }

    /// Finite data from a file of numbers.
    ///
    /// # Errors
    /// As [`formats::read`] and [`Dataset::from_points`], naming the file.
    pub fn from_file(path: &Path, options: &formats::Options, task: &Task) -> Result<Self> {
        let array = formats::read(path, options, task.host())?;
        let (_, notes) = array.rounded(path)?;
        array.notes.iter().chain(&notes).for_each(|note| task.warn(note));
        let name = path.file_stem().map_or_else(|| "file".into(), |stem| stem.to_string_lossy());
        let data = Self::from_values(&name, &array.shape, &array.values).map_err(|error| match error {
            Error::Argument { problem, hint, .. } => {
                Error::File { action: "use".into(), path: path.to_owned(), reason: format!("it {problem}"), hint }
            }
            other => other,
        })?;
        let data = Self::of_inner(Inner { columns: array.names, ..Self::into_inner(data) });
        data.with_labels(array.labels)
    }

    /// That samples, which are in single precision, cannot hold the spread of a coordinate beside its mean; of a
    /// mixture that of a component.
    pub fn coarseness(&self) -> Option<String> {
        let given = self.given();
        let variances = given.coordinate_variances();
        let coarse = |c: usize| Some((c, coarse(given.mean[c], variances[c].sqrt())?));
        let (c, problem) = match &self.0.law {
            Law::Mixture(mixture, _) if self.units().is_none() => mixture.coarseness()?,
            _ => (0..self.dimension()).find_map(coarse)?,
        };
        Some(format!("coordinate {c} of `{}` {problem}", self.name()))
    }

    /// The same data with a label for each point, in their order; no labels leave them without.
    ///
    /// # Errors
    /// When there are not as many labels as points.
    pub fn with_labels(self, labels: Vec<String>) -> Result<Self> {
        let count = self.points().map_or(0, |points| points.shape()[0]);
        if !labels.is_empty() && labels.len() != count {
            let problem = format!("has {} labels for {count} points", labels.len());
            return Err(Error::argument("labels", problem).with_hint("each point has one"));
        }
        Ok(self.labelled_by(Labels::new(labels)))
    }

    fn labelled_by(self, labels: Labels) -> Self {
        Self::of_inner(Inner { labels, ..Self::into_inner(self) })
    }

    fn named(self, name: &str) -> Self {
        Self::of_inner(Inner { name: name.to_owned(), ..Self::into_inner(self) })
    }

    /// What was made just now and has no clones.
    fn into_inner(self) -> Inner {
        Arc::into_inner(self.0).expect("made here")
    }

    fn of_inner(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    fn with_law(name: &str, shape: Vec<usize>, moments: Moments, law: Law) -> Self {
        let (name, columns, labels) = (name.to_owned(), Vec::new(), Labels::default());
        Self::of_inner(Inner { name, shape, columns, moments, law, units: None, labels })
    }

    /// The same data, normalised for the process that will noise them: what is drawn, and its moments, are in units of
    /// their own, which samples and likelihoods are given back without.
    ///
    /// # Errors
    /// When they are normalised already.
    pub fn normalised(&self, normalisation: Normalisation) -> Result<Self> {
        let Some(units) = Units::of(self.moments(), normalisation) else { return Ok(self.clone()) };
        if self.0.units.is_some() {
            return Err(Error::argument("data", "are normalised already"));
        }
        let scaled = match &self.0.law {
            Law::Mixture(mixture, _) => Self::from_mixture(self.name(), mixture.scaled(&units)?)?,
            Law::Points(points) => Self::of_points(self.name(), points.scaled(&units)?),
            _ => {
                let own = self.moments();
                let variances =
                    own.variances.iter().zip(&units.scale).map(|(variance, scale)| variance / scale / scale);
                let mean = own.mean.iter().enumerate().map(|(c, mean)| units.normalise(c, *mean)).collect();
                let moments = Moments { mean, variances: variances.collect(), axes: None };
                Self::with_law(self.name(), self.shape().to_vec(), moments, Law::Scaled(self.clone(), units.clone()))
            }
        };
        let Inner { moments, law, .. } = Self::into_inner(scaled);
        let Inner { name, shape, columns, labels, .. } = &*self.0;
        let (name, shape, columns, labels) = (name.clone(), shape.clone(), columns.clone(), labels.clone());
        Ok(Self::of_inner(Inner { name, shape, columns, moments, law, units: Some(units), labels }))
    }

    /// The units of normalised data.
    pub fn units(&self) -> Option<&Units> {
        self.0.units.as_ref()
    }

    /// Mean of each coordinate of the data as they are given, \[d\].
    pub fn mean(&self) -> Vec<f64> {
        self.given().mean
    }

    /// Variance of the data as they are given, averaged over the coordinates.
    pub fn variance(&self) -> f64 {
        self.given().variance()
    }

    /// Standard deviation of each coordinate of the data as they are given, \[d\].
    pub fn standard_deviations(&self) -> Vec<f64> {
        let variances = match &self.0.law {
            Law::Points(points) => points.variances(),
            Law::Scaled(data, _) => return data.standard_deviations(),
            _ => self.given().coordinate_variances(),
        };
        variances.into_iter().map(f64::sqrt).collect()
    }

    /// Coordinates of different scales, for which one variance says little; pixels of images have one unit.
    fn uneven(&self) -> Option<Uneven> {
        if self.shape().len() > 1 { None } else { Uneven::of(&self.standard_deviations()) }
    }

    /// What a coordinate is called: as its column, if it has one.
    fn coordinate(&self, place: usize) -> String {
        self.columns().get(place).cloned().unwrap_or_else(|| format!("coordinate {place}"))
    }

    fn given(&self) -> Moments {
        match self.units() {
            None => self.moments().clone(),
            Some(units) => units.moments(self.moments()),
        }
    }

    /// The name, as plots and saved models show it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Shape of one datum.
    pub fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    /// The names that a table gave the coordinates, \[d\]; none of other data.
    pub fn columns(&self) -> &[String] {
        &self.0.columns
    }

    /// Number of coordinates of one datum, d: the product of the shape.
    pub fn dimension(&self) -> usize {
        self.0.shape.iter().product()
    }

    /// Mean and covariance of what is drawn: exact for mixtures, those of the points for finite data.
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

    /// The component of a mixture that each row of `data` most probably comes from, \[n\]; of normalised data in their
    /// own units.
    ///
    /// # Errors
    /// When this is no mixture, or the rows no data of it.
    pub fn classify(&self, data: &Tensor, task: &Task) -> Result<Vec<usize>> {
        match self.mixture() {
            Some(mixture) => mixture.classify(&Units::mapped(self.units(), data, Units::normalise), task),
            None => Err(Error::refused(format!("`{}` is no mixture, of which components can be told", self.name()))
                .with_hint("train a classifier on labelled data: train_classifier(d)")),
        }
    }

    /// The points of finite data, [n, shape...].
    pub fn points(&self) -> Option<&Tensor> {
        self.finite_points().map(Points::tensor)
    }

    /// The points of finite data in their own units, [n, shape...].
    pub fn own_points(&self) -> Option<Tensor> {
        self.points().map(|points| Units::mapped(self.units(), points, Units::restore))
    }

    /// The deviations of finite data from their mean, [n, d], in double precision.
    pub(crate) fn deviations(&self) -> Option<DMatrix<f64>> {
        self.finite_points().map(Points::deviations)
    }

    fn finite_points(&self) -> Option<&Points> {
        match &self.0.law {
            Law::Points(points) => Some(points),
            _ => None,
        }
    }

    /// How many points finite data have.
    pub fn count(&self) -> Option<usize> {
        self.finite_points().map(|points| points.tensor().shape()[0])
    }

    /// The label of each point of finite data that have some.
    pub fn labels(&self) -> &[String] {
        self.0.labels.each()
    }

    /// The classes that the data have, each by its label: of finite data the different ones, in the order of their
    /// numbers where all are numbers and else in that of the alphabet. Parts of data have the classes of the whole.
    pub fn classes(&self) -> &[String] {
        self.0.labels.classes()
    }

    /// The place among [`Dataset::classes`] of each point of finite data that have labels.
    pub fn class_indices(&self) -> &[u32] {
        self.0.labels.indices()
    }

    /// Fills `out` with the places among [`Dataset::classes`] of the data that [`Dataset::draw`] gives for the same
    /// arguments; with 0 where there are no classes. Allocates nothing.
    pub fn draw_classes(&self, stream: &Stream, step: u32, block: u32, out: &mut [u32]) {
        match &self.0.law {
            Law::Scaled(data, _) => data.draw_classes(stream, step, block, out),
            _ if self.classes().is_empty() => out.fill(0),
            law => for_each_uniform(stream, step, block, out.len(), |i, u| {
                out[i] = match law {
                    Law::Points(points) => self.class_indices()[choose(u, points.tensor().shape()[0]).0],
                    _ => choose(u, self.classes().len()).0 as u32,
                };
            }),
        }
    }

    /// Fills `out` with data, normalised where they are to be, of (`step`, `block`), component-major [d, count], count
    /// = `out.len()` / d. Allocates
    /// nothing. A different count gives different data.
    ///
    /// # Panics
    /// In debug builds, when d does not divide the length of `out`.
    pub fn draw(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        self.fill(false, stream, step, block, out);
    }

    /// The same data less their mean, of which no digits are lost where that is large.
    pub fn draw_deviations(&self, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        self.fill(true, stream, step, block, out);
    }

    fn fill(&self, is_deviation: bool, stream: &Stream, step: u32, block: u32, out: &mut [f32]) {
        debug_assert!(out.len().is_multiple_of(self.dimension()), "{} values of {:?}", out.len(), self.shape());
        match &self.0.law {
            Law::Mixture(_, sampler) => sampler.draw(is_deviation, stream, step, block, out),
            Law::Toy(toy) => {
                toy.draw(stream, step, block, out);
                if is_deviation {
                    let count = out.len() / self.dimension();
                    for (row, mean) in out.chunks_exact_mut(count).zip(&self.moments().mean) {
                        row.iter_mut().for_each(|x| *x -= single(*mean));
                    }
                }
            }
            Law::Points(points) => points.draw(is_deviation, stream, step, block, out),
            Law::Scaled(data, units) => {
                data.draw(stream, step, block, out);
                let count = out.len() / self.dimension();
                for (c, row) in out.chunks_exact_mut(count).enumerate() {
                    let origin = if is_deviation { self.moments().mean[c] } else { 0.0 };
                    row.iter_mut().for_each(|x| *x = single(units.normalise(c, f64::from(*x)) - origin));
                }
            }
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
                    let own = block[c * BLOCK + i];
                    *value = self.units().map_or(own, |units| single(units.restore(c, f64::from(own))));
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
            Law::Toy(toy) => f.write_str(&toy.title())?,
            Law::Points(points) => write!(f, "{} points", points.tensor().shape()[0])?,
            Law::Scaled(data, units) => return write!(f, "{data}, {}", units.way()),
        }
        match self.columns() {
            [] => {}
            [first, second, third, fourth, _, rest @ ..] => {
                write!(f, " of {first}, {second}, {third}, {fourth} and {} more", 1 + rest.len())?;
            }
            few => write!(f, " of {}", few.join(", "))?,
        }
        write!(f, ", datum of shape {:?}, ", self.shape())?;
        match self.uneven() {
            Some(Uneven { narrowest: (low, least), widest: (high, most) }) => {
                let [low, high] = [low, high].map(|c| self.coordinate(c));
                write!(f, "standard deviations from {} ({low}) to {} ({high})", number(least), number(most))?;
            }
            None => write!(f, "variance {}", number(self.variance()))?,
        }
        self.units().map_or(Ok(()), |units| write!(f, ", {}", units.way()))?;
        if self.labels().is_empty() { Ok(()) } else { write!(f, ", {} labels", self.classes().len()) }
    }
}
