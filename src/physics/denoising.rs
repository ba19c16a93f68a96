//! How well a datum is known from what noise has left of it.

use nalgebra::{DMatrix, DVector};

use super::draws::Draws;
use crate::data::{Dataset, Mixture};
use crate::error::Result;
use crate::gauss::{mahalanobis_squared, solve_lower_matrix};
use crate::rng::{Purpose, Stream};
use crate::task::Task;

/// The mean square error of the best guess of a datum from x_0 + n/√J, with independent standard normals n, as a
/// function of the information J, in 1/(unit of the data)²; and what follows from it.
///
/// Everything that a noised state of independent copies of a linear process tells of its datum is such a number, with
/// J its Fisher information. The information that it has of the datum is I(J) = ½ ∫_0^J error (Guo, Shamai, Verdú, IEEE
/// Trans. Inf. Theory 51, 1261 (2005)).
pub(super) enum Denoising {
    /// By a linear guess, from the variances along the axes of the data that vary.
    Linear(Vec<f64>),
    /// By the best guess of all: of a mixture, by draws.
    Exact(Curve),
}

impl Denoising {
    /// Of `data`: for mixtures by the best guess, for others by the best linear one, for which their covariance is all
    /// that matters.
    ///
    /// # Errors
    /// As the draws, and [`Error::Interrupted`](crate::error::Error::Interrupted).
    pub(super) fn new(data: &Dataset, draws: Draws, task: &Task) -> Result<Self> {
        match data.mixture().filter(|mixture| mixture.components() > 1) {
            Some(mixture) => Ok(Self::Exact(Curve::new(mixture, data, draws, task)?)),
            None => {
                let variances = data.moments().variances.iter().copied();
                Ok(Self::Linear(variances.filter(|variance| *variance > 0.0).collect()))
            }
        }
    }

    /// Whose guesses they are.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Linear(_) => "linear",
            Self::Exact(_) => "exact",
        }
    }

    /// Number of directions in which the data vary.
    pub(super) fn dimension(&self) -> f64 {
        match self {
            Self::Linear(variances) => variances.len() as f64,
            Self::Exact(curve) => curve.dimension as f64,
        }
    }

    /// The error, summed over coordinates, and its derivative by J.
    pub(super) fn error(&self, information: f64) -> [f64; 2] {
        match self {
            Self::Linear(variances) => variances.iter().fold([0.0; 2], |[error, slope], variance| {
                let own = variance / (1.0 + variance * information);
                [error + own, slope - own * own]
            }),
            Self::Exact(curve) => curve.error(information),
        }
    }

    /// I(J), in nats.
    pub(super) fn information(&self, information: f64) -> f64 {
        match self {
            Self::Linear(variances) => variances.iter().map(|variance| 0.5 * (variance * information).ln_1p()).sum(),
            Self::Exact(curve) => curve.information(information),
        }
    }

    /// The entropy of the data that is left when x_0 + n/√J is known, in nats.
    pub(super) fn entropy_left(&self, information: f64) -> f64 {
        let of_normal = |variance: f64| 0.5 * (std::f64::consts::TAU * std::f64::consts::E * variance).ln();
        match self {
            Self::Linear(variances) => {
                variances.iter().map(|variance| of_normal(variance / (1.0 + variance * information))).sum()
            }
            Self::Exact(curve) => {
                let end = curve.end();
                let at_end = curve.dimension as f64 * of_normal(1.0 / end);
                at_end + curve.information(end) - curve.information(information)
            }
        }
    }

    /// The same by each of several parts of the draws; none where nothing is drawn.
    pub(super) fn parts(&self) -> Vec<Self> {
        match self {
            Self::Linear(_) => Vec::new(),
            Self::Exact(curve) => curve.parts().map(Self::Exact).collect(),
        }
    }
}

/// Distance of neighbouring places in ln J.
const SPACING: f64 = 0.25;
/// Parts that the draws are in.
const PARTS: usize = 8;
/// So much less than what the whole of the data asks for, and more than their finest detail does, is as good as nothing
/// and everything.
const BEYOND: f64 = 1e3;

/// A table of ln(error) against ln J.
pub(super) struct Curve {
    dimension: usize,
    /// ln J of the first place.
    start: f64,
    /// ln of the error at each place.
    values: Vec<f64>,
    /// I up to each place.
    sums: Vec<f64>,
    /// The same logarithms, by each part of the draws alone.
    by_part: Vec<Vec<f64>>,
}

impl Curve {
    fn new(mixture: &Mixture, data: &Dataset, draws: Draws, task: &Task) -> Result<Self> {
        let moments = data.moments();
        let widest = moments.variances.iter().copied().fold(0.0, f64::max);
        let narrowest = mixture.finest().powi(2);
        let start = (1.0 / (BEYOND * widest)).ln();
        let places = ((BEYOND / narrowest).ln() - start) / SPACING;
        let count = draws.count.div_ceil(PARTS);
        let drawn = data.sample(count * PARTS, draws.seed, task)?;
        let mut normals = vec![0.0; drawn.values().len()];
        Stream::new(draws.seed, Purpose::Kernel).normals(0, 0, &mut normals);
        let d = data.dimension();
        let columns = task.blocks(places.ceil() as usize + 1, |place| {
            let information = (start + SPACING * place as f64).exp();
            let posterior = Posterior::new(mixture, information)?;
            let noise = information.sqrt().recip();
            let mut sums = [0.0; PARTS];
            let values = drawn.values();
            let rows = values.chunks_exact(d).zip(normals.chunks_exact(d));
            for (i, (datum, normal)) in rows.enumerate() {
                if i % 256 == 0 {
                    task.check()?;
                }
                let seen = datum.iter().zip(normal).map(|(x, n)| f64::from(*x) + noise * f64::from(*n));
                sums[i / count] += posterior.variance(&DVector::from_iterator(d, seen));
            }
            Ok(sums.map(|sum| sum / count as f64))
        })?;
        let by_part = (0..PARTS).map(|part| columns.iter().map(|column| column[part].ln()).collect()).collect();
        let values = columns.iter().map(|column| (column.iter().sum::<f64>() / PARTS as f64).ln()).collect();
        Ok(Self::of(d, start, values, by_part))
    }

    fn of(dimension: usize, start: f64, values: Vec<f64>, by_part: Vec<Vec<f64>>) -> Self {
        let mut curve = Self { dimension, start, values, sums: Vec::new(), by_part };
        // Before the first place the error is that of knowing nothing.
        curve.sums.push(0.5 * (curve.values[0] + start).exp());
        for place in 1..curve.values.len() {
            let from = start + SPACING * (place - 1) as f64;
            let sum = curve.sums[place - 1] + curve.integral(from, from + SPACING);
            curve.sums.push(sum);
        }
        curve
    }

    fn parts(&self) -> impl Iterator<Item = Self> {
        self.by_part.iter().map(|values| Self::of(self.dimension, self.start, values.clone(), Vec::new()))
    }

    fn end(&self) -> f64 {
        self.last().exp()
    }

    /// ln J of the last place.
    fn last(&self) -> f64 {
        self.start + SPACING * (self.values.len() - 1) as f64
    }

    fn error(&self, information: f64) -> [f64; 2] {
        let [log, slope] = self.log_error(information.ln());
        let error = log.exp();
        [error, slope * error / information]
    }

    /// ln(error) and its derivative at ln J: cubic between places, beyond the last as 1/J, before the first constant.
    fn log_error(&self, place: f64) -> [f64; 2] {
        let values = &self.values;
        if place <= self.start {
            return [values[0], 0.0];
        }
        if place >= self.last() {
            return [values[values.len() - 1] - (place - self.last()), -1.0];
        }
        let from = (((place - self.start) / SPACING) as usize).min(values.len() - 2);
        let u = (place - self.start) / SPACING - from as f64;
        let slope = |i: usize| match i {
            0 => 0.0,
            i if i + 1 == values.len() => -SPACING,
            i => 0.5 * (values[i + 1] - values[i - 1]),
        };
        let (a, b, da, db) = (values[from], values[from + 1], slope(from), slope(from + 1));
        let value = a + u * (da + u * (3.0 * (b - a) - 2.0 * da - db + u * (2.0 * (a - b) + da + db)));
        let rise = da + u * (2.0 * (3.0 * (b - a) - 2.0 * da - db) + u * 3.0 * (2.0 * (a - b) + da + db));
        [value, rise / SPACING]
    }

    fn information(&self, information: f64) -> f64 {
        let place = information.ln();
        if place <= self.start {
            return 0.5 * self.values[0].exp() * information;
        }
        if place >= self.last() {
            let last = self.values.len() - 1;
            return self.sums[last] + 0.5 * (self.values[last] + self.last()).exp() * (place - self.last());
        }
        let before = (((place - self.start) / SPACING) as usize).min(self.sums.len() - 1);
        self.sums[before] + self.integral(self.start + SPACING * before as f64, place)
    }

    /// ½ ∫ error dJ over less than a distance of places in ln J, by the rule of Gauss of three points.
    fn integral(&self, from: f64, to: f64) -> f64 {
        let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
        let at = |place: f64| (self.log_error(place)[0] + place).exp();
        let outer = half * f64::sqrt(0.6);
        half * (8.0 * at(middle) + 5.0 * (at(middle - outer) + at(middle + outer))) / 18.0
    }
}

/// What is known of a datum of a mixture from x_0 + n/√J.
struct Posterior<'a> {
    mixture: &'a Mixture,
    components: Vec<Component>,
}

/// What is known of a datum if it is of one component.
struct Component {
    /// ln of the weight over the volume.
    height: f64,
    /// The factor L of S + 1/J.
    factor: DMatrix<f64>,
    /// S (S + 1/J)⁻¹.
    gain: DMatrix<f64>,
    /// The trace of the covariance of the datum.
    variance: f64,
}

impl<'a> Posterior<'a> {
    fn new(mixture: &'a Mixture, information: f64) -> Result<Self> {
        let d = mixture.dimension();
        let component = |k: usize| {
            let own = mixture.factor(k)?;
            let covariance = &own * own.transpose();
            let noised = &covariance + DMatrix::from_diagonal_element(d, d, 1.0 / information);
            let factor = noised.cholesky().expect("noise makes it positive definite").l();
            // (S + 1/J)⁻¹ S, whose transpose is the gain.
            let white = solve_lower_matrix(&factor, &covariance);
            let gain = factor.transpose().solve_upper_triangular(&white).expect("its diagonal is above 0").transpose();
            let height = mixture.weights[k].ln() - factor.diagonal().iter().map(|pivot| pivot.ln()).sum::<f64>();
            // S − S (S + 1/J)⁻¹ S = gain/J.
            Ok(Component { height, variance: gain.trace() / information, factor, gain })
        };
        let components = (0..mixture.components()).map(component).collect::<Result<_>>()?;
        Ok(Self { mixture, components })
    }

    /// The trace of the covariance of the datum, given what is `seen` of it.
    fn variance(&self, seen: &DVector<f64>) -> f64 {
        let d = seen.len();
        let means = self.mixture.means.chunks_exact(d).map(DVector::from_column_slice);
        let guesses: Vec<_> = self
            .components
            .iter()
            .zip(means)
            .map(|(component, mean)| {
                let away = seen - &mean;
                let guess = mean + &component.gain * &away;
                let log = component.height - 0.5 * mahalanobis_squared(&component.factor, away);
                (log, guess, component.variance)
            })
            .collect();
        let largest = guesses.iter().map(|(log, ..)| *log).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = guesses.iter().map(|(log, ..)| (log - largest).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mut middle = DVector::zeros(d);
        for (weight, (_, guess, _)) in weights.iter().zip(&guesses) {
            middle.axpy(weight / total, guess, 1.0);
        }
        // About the middle: a difference of squares would lose what is left of far means.
        let parts = weights.iter().zip(&guesses);
        parts.map(|(weight, (_, guess, variance))| weight / total * (variance + (guess - &middle).norm_squared())).sum()
    }
}
