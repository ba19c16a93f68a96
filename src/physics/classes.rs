//! What a noised state tells of the class of its datum.

use nalgebra::{DMatrix, DVector, DVectorView, DVectorViewMut};

use super::draws::Draws;
use super::observed::Observed;
use crate::data::{Covariance, Dataset};
use crate::error::{Error, Result};
use crate::gauss::{solve_lower_mut, triangularize};
use crate::measure::Estimate;
use crate::process::Process;
use crate::rng::{Purpose, Stream};
use crate::task::Task;

/// Draws that one piece of parallel work takes; part of what a seed means.
const BLOCK: usize = 64;

/// What the noised states of data of several classes look like: components of a mixture are its classes, of finite data
/// their labels.
pub struct Classes {
    /// Numbers that are observed of a copy, and copies.
    size: usize,
    copies: usize,
    laws: Vec<Law>,
    /// Number of classes.
    count: usize,
}

/// Components that have one covariance.
struct Law {
    /// Of one copy, lower-triangular, [size, size].
    factor: DMatrix<f64>,
    /// ln det L of all copies.
    volume: f64,
    components: Vec<Component>,
}

impl Law {
    fn new(factor: DMatrix<f64>, components: Vec<Component>, copies: usize) -> Self {
        let volume = factor.diagonal().iter().map(|pivot| pivot.ln()).sum::<f64>() * copies as f64;
        Self { factor, volume, components }
    }
}

/// A Gaussian of one class.
struct Component {
    class: usize,
    weight: f64,
    log_weight: f64,
    /// L⁻¹ times the mean, copy by copy, [copies·size].
    white_mean: Vec<f64>,
}

impl Classes {
    /// At `time`, of the blocks `observe`; of all, where none are named.
    ///
    /// # Errors
    /// When the process has no Gaussian kernel or no such block, `time` is not above 0, or the data have no classes or
    /// no law in closed form.
    pub fn new(process: &Process, data: &Dataset, time: f64, observe: Option<&[String]>) -> Result<Self> {
        let observed = Observed::new(process, time, observe)?;
        let d = data.dimension();
        let copies = process.copies(d)?;
        if let (Some(points), true) = (data.points(), data.classes().len() > 1) {
            let values = points.values();
            let rows = values.chunks_exact(d).map(|row| row.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
            let weight = 1.0 / data.class_indices().len() as f64;
            let component = |(datum, class): (Vec<f64>, &u32)| {
                let white_mean = white(&observed.factor, &mean(&observed, &datum, copies));
                Component { class: *class as usize, weight, log_weight: weight.ln(), white_mean }
            };
            let components = rows.zip(data.class_indices()).map(component).collect();
            let law = Law::new(observed.factor.clone(), components, copies);
            return Ok(Self { size: observed.size(), copies, laws: vec![law], count: data.classes().len() });
        }
        let Some(mixture) = data.mixture().filter(|mixture| mixture.components() > 1) else {
            let problem = format!("`{}` have no classes whose law is known in closed form", data.name());
            return Err(Error::refused(problem).with_hint(
                "take a mixture of two or more, whose components are the classes, or labelled points: \
                 d.labelled(1000, 0)",
            ));
        };
        // Coordinates with a common variance stay independent copies.
        let is_split = matches!(mixture.covariance, Covariance::Isotropic(_)) && process.coordinates().is_none();
        let (size, pieces) = if is_split { (observed.size(), copies) } else { (observed.size() * copies, 1) };
        let mut laws: Vec<Law> = Vec::new();
        for (class, (weight, datum)) in mixture.weights.iter().zip(mixture.means.chunks_exact(d)).enumerate() {
            if *weight == 0.0 {
                continue;
            }
            let carried = match &mixture.covariance {
                Covariance::Isotropic(variances) if is_split => DMatrix::from_element(1, 1, variances[class].sqrt()),
                _ => mixture.factor(class)?,
            };
            let factor = joint(&observed, &carried, copies, is_split);
            let own = mean(&observed, datum, copies);
            let own = if is_split { own } else { components_first(&own, observed.size(), copies) };
            let (weight, white_mean) = (*weight, white(&factor, &own));
            let component = Component { class, weight, log_weight: weight.ln(), white_mean };
            match laws.iter_mut().find(|law| law.factor == factor) {
                Some(law) => law.components.push(component),
                None => laws.push(Law::new(factor, vec![component], pieces)),
            }
        }
        Ok(Self { size, copies: pieces, laws, count: mixture.components() })
    }

    /// I(class; z_t) in nats: the entropy of the classes less the mean entropy of what is left open when the state is
    /// known.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn information(&self, draws: Draws, task: &Task) -> Result<Estimate> {
        let left = self.mean(entropy, draws, task)?;
        // By chance, or by rounding, more than all may seem left.
        Ok(Estimate { value: (entropy(&self.prior()) - left.value).max(0.0), ..left })
    }

    /// The part of data whose class is guessed rightly by the most probable class given the state: no guess can be
    /// better (the Bayes accuracy).
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn accuracy(&self, draws: Draws, task: &Task) -> Result<Estimate> {
        self.mean(|posterior| posterior.iter().copied().fold(0.0, f64::max), draws, task)
    }

    /// The probability that two independent ways back from a state end in the same class: the mean of the sum of
    /// squares of the probabilities of the classes given the state.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn clone_agreement(&self, draws: Draws, task: &Task) -> Result<Estimate> {
        self.mean(|posterior| posterior.iter().map(|p| p * p).sum(), draws, task)
    }

    fn prior(&self) -> Vec<f64> {
        let mut prior = vec![0.0; self.count];
        self.components().for_each(|(_, component)| prior[component.class] += component.weight);
        prior
    }

    fn components(&self) -> impl Iterator<Item = (&Law, &Component)> {
        self.laws.iter().flat_map(|law| law.components.iter().map(move |component| (law, component)))
    }

    /// The mean over states of what `of` makes of the probabilities of the classes given the state.
    fn mean(&self, of: impl Fn(&[f64]) -> f64 + Sync + Send, draws: Draws, task: &Task) -> Result<Estimate> {
        let Draws { count, seed } = draws;
        let bounds: Vec<f64> = self
            .components()
            .scan(0.0, |sum, (_, component)| {
                *sum += component.weight;
                Some(*sum)
            })
            .collect();
        let total = *bounds.last().expect("there are components");
        let stream = Stream::new(seed, Purpose::Class);
        let width = self.size * self.copies;
        let blocks = task.blocks(count.div_ceil(BLOCK), |block| {
            let samples = BLOCK.min(count - block * BLOCK);
            let mut normals = vec![0.0; BLOCK * width];
            stream.normals(0, block as u32, &mut normals);
            let mut uniforms = [0.0; 2 * BLOCK];
            stream.part(1).uniforms(0, block as u32, &mut uniforms);
            let values = (0..samples).map(|n| {
                task.check()?;
                // Single-precision uniforms have 24 bits.
                let u = f64::from(uniforms[n]) + f64::from(uniforms[BLOCK + n]) * 2_f64.powi(-24);
                let place = bounds.partition_point(|bound| *bound <= u * total);
                let (law, component) = self.components().nth(place).expect("u is below 1");
                let white = component.white_mean.iter().zip(&normals[n * width..]).map(|(m, e)| m + f64::from(*e));
                Ok(of(&self.posterior(&unwhite(&law.factor, &white.collect::<Vec<_>>()))))
            });
            values.collect::<Result<Vec<_>>>()
        })?;
        Ok(Estimate::mean(&blocks.concat()))
    }

    /// The probabilities of the classes given a state, \[classes\].
    fn posterior(&self, state: &[f64]) -> Vec<f64> {
        let mut logs = Vec::with_capacity(self.components().count());
        for law in &self.laws {
            let seen = white(&law.factor, state);
            logs.extend(law.components.iter().map(|component| {
                let distance: f64 = seen.iter().zip(&component.white_mean).map(|(a, b)| (a - b).powi(2)).sum();
                (component.class, component.log_weight - 0.5 * distance - law.volume)
            }));
        }
        let largest = logs.iter().map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
        let mut posterior = vec![0.0; self.count];
        logs.iter().for_each(|(class, log)| posterior[*class] += (log - largest).exp());
        let total: f64 = posterior.iter().sum();
        posterior.iter_mut().for_each(|p| *p /= total);
        posterior
    }
}

fn entropy(probabilities: &[f64]) -> f64 {
    -probabilities.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
}

/// The mean of what is observed for a datum, copy by copy, [copies·o].
fn mean(observed: &Observed, datum: &[f64], copies: usize) -> Vec<f64> {
    let k = observed.response.ncols();
    let offset = observed.offset();
    let of_copy = |c: usize| {
        let datum = DVector::from_fn(k, |j, _| datum[j * copies + c]);
        (&observed.response * datum + &offset).iter().copied().collect::<Vec<_>>()
    };
    (0..copies).flat_map(of_copy).collect()
}

/// [copies·o] to [o·copies], row (component, copy).
fn components_first(values: &[f64], size: usize, copies: usize) -> Vec<f64> {
    (0..size * copies).map(|at| values[(at % copies) * size + at / copies]).collect()
}

/// The factor of what is observed of data of the covariance F Fᵀ, with `factor` F: of one copy where the copies stay
/// independent, [o, o], else of all, [o·copies, o·copies], row (component, copy).
fn joint(observed: &Observed, factor: &DMatrix<f64>, copies: usize, is_split: bool) -> DMatrix<f64> {
    let size = observed.size();
    let pieces = if is_split { 1 } else { copies };
    let k = observed.response.ncols();
    let width = factor.ncols();
    let columns = DMatrix::from_fn(size * pieces, width + size * pieces, |row, column| {
        let (i, c) = (row / pieces, row % pieces);
        match column.checked_sub(width) {
            None => (0..k).map(|j| observed.response[(i, j)] * factor[(j * pieces + c, column)]).sum(),
            Some(at) if at % pieces == c => observed.factor[(i, at / pieces)],
            Some(_) => 0.0,
        }
    });
    triangularize(columns)
}

/// L⁻¹ of each copy's part of `values`.
fn white(factor: &DMatrix<f64>, values: &[f64]) -> Vec<f64> {
    let mut white = values.to_vec();
    white.chunks_exact_mut(factor.nrows()).for_each(|part| solve_lower_mut(factor, part));
    white
}

/// L times each copy's part of `values`.
fn unwhite(factor: &DMatrix<f64>, values: &[f64]) -> Vec<f64> {
    let size = factor.nrows();
    let mut coloured = vec![0.0; values.len()];
    for (to, part) in coloured.chunks_exact_mut(size).zip(values.chunks_exact(size)) {
        DVectorViewMut::from_slice(to, size).gemv(1.0, factor, &DVectorView::from_slice(part, size), 0.0);
    }
    coloured
}
