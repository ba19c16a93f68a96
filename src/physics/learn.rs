//! Parameters of a process by gradient.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DVector};

use super::bound::{Bound, Excess};
use super::denoising::Denoising;
use super::draws::Draws;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::measure::Estimate;
use crate::process::{PriorLaw, Process};
use crate::sample::{GRID, Grid};
use crate::settings::{Choice, Range, Setting, Values, words, written};
use crate::task::Task;
use crate::tensor::number;

/// What can be set of [`learn`].
pub const LEARN: &[Setting] = &[
    Setting::texts("parameters", "names of the parameters to learn, whose values are above 0 and stay so")
        .required("write parameters: [\"tau\"]"),
    Setting::natural("steps", "number of steps of the bound; 0 stands for infinitely many, which lose nothing")
        .or(50.0),
    GRID,
    Setting::number("end", "time from which the last step goes to the data, below the horizon")
        .within(Range::from(0.0))
        .or_else("the last time above 0 of a grid that ends at 0"),
    Setting::choice("prior", "the law that the reverse process starts from", &words(PRIORS)),
    Setting::natural("iterations", "most steps of the search; 0 evaluates the bound").or(200.0),
    Setting::count("count", "draws of data, of mixtures").between(64.0, 1e7).or(4096.0),
    Setting::seed("seed of the draws"),
];

const PRIORS: &[(Choice, PriorLaw); 2] = &[
    (Choice::new("matched", "a Gaussian with mean and covariance of the noised data"), PriorLaw::Matched),
    (Choice::new("stationary", "the law that the process settles into"), PriorLaw::Stationary),
];

/// What a search for parameters found.
#[derive(Debug, Clone)]
pub struct Learned {
    /// The process with the parameters that were found.
    pub process: Process,
    /// By how much its bound exceeds the entropy of the data.
    pub excess: Excess,
    /// The standard error of the total by the draws of data; 0 where nothing was drawn.
    pub error: f64,
    /// The same of the process as it was given.
    pub before: Excess,
    /// The largest derivative of the total by the logarithm of a parameter, in nats.
    pub slope: f64,
    /// Steps of the search.
    pub iterations: usize,
    /// "exact" or "linear": whose guesses of the datum the bound is about.
    pub denoiser: &'static str,
}

impl Learned {
    /// Whether the search ended at a minimum.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.slope <= FLAT
    }
}

/// Nats per e-fold of a parameter below which the bound is flat.
const FLAT: f64 = 1e-6;
/// The most that the logarithm of a parameter changes in a step of the search.
const LEAP: f64 = 1.0;
/// The factor beyond which a parameter is not looked for.
const FAR: f64 = 1e4;

/// The values of parameters at which the variational bound on −ln p of `data` is least, for a process followed back in
/// a few ancestral steps with the best denoiser of mixtures, or the best linear one of other data.
///
/// A quasi-Newton search (Broyden, Fletcher, Goldfarb, Shanno) in the logarithms of the parameters. The gradient is
/// exact, by the derivative of the kernel: see [`Sensitivity`](crate::process::Sensitivity).
///
/// # Errors
/// When a parameter does not exist or is not above 0, the process has no Gaussian kernel, or the data have angles.
pub fn learn(process: &Process, data: &Dataset, values: &Values, task: &Task) -> Result<Learned> {
    let names = names(process, values)?;
    process.copies(data.dimension())?;
    let draws = Draws { count: values.count("count"), seed: values.natural("seed") };
    let denoising = Denoising::new(data, draws, task)?;
    if denoising.dimension() == 0.0 {
        return Err(Error::refused("the data do not vary: there is nothing to learn from"));
    }
    let times = times(process.horizon(), values)?;
    let bound =
        Bound { moments: data.moments(), denoising: &denoising, prior: values.chosen("prior", PRIORS), times: &times };
    let search = Search { process, names: &names, bound: &bound };
    let first = search.place(DVector::zeros(names.len()))?;
    let before = first.excess;
    let (found, iterations) = search.descend(first, values.natural("iterations") as usize, task)?;
    let by_part = denoising.parts();
    let totals = by_part.iter().map(|denoising| Ok(Bound { denoising, ..bound }.of(&found.process, &[])?.0.total()));
    let error = match totals.collect::<Result<Vec<_>>>()? {
        none if none.is_empty() => 0.0,
        totals => Estimate::mean(&totals).error,
    };
    let Place { process: own, excess, gradient, .. } = found;
    let slope = gradient.amax();
    if slope > FLAT && values.natural("iterations") > 0 {
        let unlike = |name: &String| {
            format!("{name} from {} to {}", number(process.parameters()[name]), number(own.parameters()[name]))
        };
        let moved: Vec<_> = names.iter().map(unlike).collect();
        task.warn(&format!(
            "the search for {} did not end at a minimum of the bound: {slope:.1e} nats per e-fold are left after {iterations} \
             steps, {}",
            names.join(", "),
            moved.join(", ")
        ));
    }
    let denoiser = denoising.name();
    Ok(Learned { process: own, excess, error, before, slope, iterations, denoiser })
}

/// The times at which steps end, from the horizon down, in parts of it; the last step, to the data, begins at the last.
fn times(horizon: f64, values: &Values) -> Result<Vec<f64>> {
    let (grid, end) = (Grid::read(values), values.number_if_given("end").unwrap_or(0.0));
    let times = match (values.natural("steps") as usize, end > 0.0) {
        (0, _) => Vec::new(),
        (1, true) => vec![end],
        (steps, true) => grid.times(horizon, end, steps - 1)?,
        (steps, false) => grid.times(horizon, 0.0, steps)?,
    };
    Ok(times.into_iter().filter(|time| *time > 0.0).map(|time| time / horizon).collect())
}

/// The names of the parameters to learn.
fn names(process: &Process, values: &Values) -> Result<Vec<String>> {
    let names = values.texts_if_given("parameters").expect("it must be given").to_vec();
    if names.is_empty() {
        return Err(Error::argument("parameters", "is empty").with_hint("name those to learn: parameters: [\"tau\"]"));
    }
    for (i, name) in names.iter().enumerate() {
        let value = process.parameter(name)?;
        if value <= 0.0 {
            let problem = format!("holds \"{name}\", which is {}: it must begin above 0", written(value));
            return Err(Error::argument("parameters", problem)
                .with_hint(format!("begin elsewhere: p.vary(#{{ {name}: 0.1 }})")));
        }
        if names[..i].contains(name) {
            return Err(Error::argument("parameters", format!("holds \"{name}\" twice")));
        }
    }
    Ok(names)
}

/// Looks for the least bound over the logarithms of parameters, in parts of their first values.
struct Search<'a> {
    process: &'a Process,
    names: &'a [String],
    bound: &'a Bound<'a>,
}

/// A point of the search.
struct Place {
    /// Logarithms of the parameters in parts of their first values, \[parameters\].
    at: DVector<f64>,
    process: Process,
    excess: Excess,
    /// Of the total, \[parameters\].
    gradient: DVector<f64>,
}

impl Search<'_> {
    fn place(&self, at: DVector<f64>) -> Result<Place> {
        let first = self.process.parameters();
        let values: BTreeMap<String, f64> =
            self.names.iter().zip(&at).map(|(name, log)| (name.clone(), first[name] * log.exp())).collect();
        let process = self.process.vary(&values)?;
        let (excess, slopes) = self.bound.of(&process, self.names)?;
        let gradient =
            DVector::from_iterator(at.len(), self.names.iter().zip(slopes).map(|(name, s)| s * values[name]));
        if !excess.total().is_finite() || gradient.iter().any(|slope| !slope.is_finite()) {
            let shown: Vec<_> = values.iter().map(|(name, value)| format!("{name} = {}", number(*value))).collect();
            return Err(Error::numerical(format!("the likelihood bound is not finite at {}", shown.join(", "))));
        }
        Ok(Place { at, process, excess, gradient })
    }

    /// Down from `place`, and how many steps it took. Where the bound does not exist it is as good as infinite.
    fn descend(&self, mut place: Place, most: usize, task: &Task) -> Result<(Place, usize)> {
        let mut inverse: Option<DMatrix<f64>> = None;
        for iteration in 0..most {
            task.check()?;
            if place.gradient.amax() <= FLAT || place.at.amax() > FAR.ln() {
                return Ok((place, iteration));
            }
            let step = match &inverse {
                Some(inverse) => {
                    let step = -(inverse * &place.gradient);
                    &step * (LEAP / step.amax()).min(1.0)
                }
                // Where nothing is known of the curvature, a slope says where to go and not how far.
                None => &place.gradient * (-LEAP / place.gradient.amax()),
            };
            match self.shorten(&place, &step) {
                Some(next) => {
                    inverse = curvature(inverse, &(&next.at - &place.at), &(&next.gradient - &place.gradient));
                    place = next;
                }
                // What was known of the curvature may be stale.
                None if inverse.is_some() => inverse = None,
                None => return Ok((place, iteration)),
            }
        }
        Ok((place, most))
    }

    /// The first of ever shorter steps that goes down by a part of what the slope promises.
    fn shorten(&self, place: &Place, step: &DVector<f64>) -> Option<Place> {
        let promised = place.gradient.dot(step);
        (0..HALVINGS).find_map(|halving| {
            let part = 0.5_f64.powi(halving);
            let next = self.place(&place.at + step * part).ok()?;
            let enough = SUFFICIENT * part * promised + ROUNDING * (1.0 + place.excess.total().abs());
            (next.excess.total() <= place.excess.total() + enough).then_some(next)
        })
    }
}

/// The part of what the slope promises with which a step is content.
const SUFFICIENT: f64 = 1e-4;
/// Parts of the bound that are rounding.
const ROUNDING: f64 = 1e-14;
/// Halvings of a step after which there is none.
const HALVINGS: i32 = 30;

/// The inverse of the curvature, as the `change` of the gradient over a `step` shows it; nothing is known of it where
/// the bound curves down.
fn curvature(inverse: Option<DMatrix<f64>>, step: &DVector<f64>, change: &DVector<f64>) -> Option<DMatrix<f64>> {
    let curved = step.dot(change);
    if curved <= 1e-12 * step.norm() * change.norm() {
        return None;
    }
    let size = step.len();
    let inverse = inverse.unwrap_or_else(|| DMatrix::from_diagonal_element(size, size, curved / change.norm_squared()));
    let turn = DMatrix::identity(size, size) - step * change.transpose() / curved;
    Some(&turn * inverse * turn.transpose() + step * step.transpose() / curved)
}
