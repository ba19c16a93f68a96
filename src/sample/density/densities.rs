//! Log densities with their errors, of one draw of the auxiliaries and of all.

use serde::{Deserialize, Serialize};

use super::options::Bound;
use crate::error::Result;
use crate::task::Task;
use crate::tensor::Tensor;

/// Log densities, in nats per datum.
#[derive(Debug, Clone, PartialEq)]
pub struct LogDensity {
    /// The log density of each datum, \[count\].
    pub values: Tensor,
    /// Its error, \[count\]: the standard error by random directions or draws of auxiliaries, NaN where too few say too
    /// little of it; and by the steps of the integration, by single precision and by the law at the horizon.
    pub errors: Tensor,
    /// Evaluations of the score and its derivatives per sample, of one draw; the most that any group of samples took.
    pub evaluations: usize,
}

impl std::fmt::Display for LogDensity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let values = self.values.values();
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        write!(f, "log densities of {} data, {mean:.4} nats in the mean; ", values.len())?;
        write!(f, "{} evaluations of the score each", self.evaluations)
    }
}

/// Log densities of one draw.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Densities {
    /// Mean over the directions, \[count\].
    pub(super) values: Vec<f64>,
    /// Their standard errors.
    pub(super) errors: Vec<f64>,
    /// What is not random in their errors: of the steps and of single precision.
    pub(super) steps: Vec<f64>,
    /// And of the law at the horizon.
    pub(super) laws: Vec<f64>,
    pub(super) evaluations: usize,
    /// The rows that were followed with larger tolerances than asked for.
    pub(super) loosened: Vec<usize>,
}

/// An error in nats that is worth a warning, where it is not random.
const MOST_SILENT: f64 = 0.1;

/// Degrees of freedom below which the scatter over random directions says too little: all signs agree by chance once in
/// 2^freedom.
const LEAST_FREEDOM: usize = 7;

/// The errors of means over random directions, from the variances over them, `scatter`, which the data have each.
///
/// Few signs agree by chance, and the datum then seems to have no error; so half of each variance is the mean of all.
pub(super) fn errors_by_scatter(scatter: &[f64], directions: usize) -> Vec<f64> {
    let count = scatter.len();
    if count * (directions - 1) < LEAST_FREEDOM {
        return vec![f64::NAN; count];
    }
    let shared = scatter.iter().sum::<f64>() / count as f64;
    scatter.iter().map(|own| (0.5 * (own + shared) / directions as f64).sqrt()).collect()
}

/// The mean and its standard error.
pub(super) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    // One value gives 0/0: nothing is known of its error.
    (mean, (square / (count - 1.0) / count).sqrt())
}

/// The bound for each datum from log p(x, η) − log q(η) of several draws.
pub(super) fn combine(draws: &[Densities], bound: Bound, task: &Task) -> Result<LogDensity> {
    let mut all = Densities::default();
    for i in 0..draws[0].values.len() {
        let logs: Vec<_> = draws.iter().map(|draw| draw.values[i]).collect();
        let best = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<_> = match bound {
            Bound::Mean => vec![1.0; logs.len()],
            Bound::Weighted => logs.iter().map(|log| (log - best).exp()).collect(),
        };
        let (value, error) = match bound {
            Bound::Mean => mean_and_error(&logs),
            Bound::Weighted => {
                let (mean, error) = mean_and_error(&weights);
                (best + mean.ln(), error / mean)
            }
        };
        // Draws have the error of the steps and of the law alike.
        let weighted = |error: &dyn Fn(&Densities) -> f64| {
            let sum: f64 = draws.iter().zip(&weights).map(|(draw, weight)| weight * error(draw)).sum();
            sum / weights.iter().sum::<f64>()
        };
        all.values.push(value);
        all.errors.push(error);
        all.steps.push(weighted(&|draw| draw.steps[i]));
        all.laws.push(weighted(&|draw| draw.laws[i]));
    }
    all.evaluations = draws.iter().map(|draw| draw.evaluations).max().unwrap_or(0);
    all.finish(task)
}

impl Densities {
    /// Puts others behind these.
    pub(super) fn append(&mut self, other: Self) {
        self.values.extend(other.values);
        self.errors.extend(other.errors);
        self.steps.extend(other.steps);
        self.laws.extend(other.laws);
        self.loosened.extend(other.loosened);
        self.evaluations = self.evaluations.max(other.evaluations);
    }

    /// Takes all errors together, and warns of those that are not small.
    pub(super) fn finish(self, task: &Task) -> Result<LogDensity> {
        let Self { values, errors, steps, laws, evaluations, .. } = self;
        let count = values.len();
        let most = |errors: &[f64]| errors.iter().map(|error| error.abs()).fold(0.0, f64::max);
        let many = |errors: &[f64]| errors.iter().filter(|error| error.abs() > MOST_SILENT).count();
        if many(&steps) > 0 {
            task.warn(&format!(
                "the integration, in single precision, leaves {} of {count} log densities errors above {MOST_SILENT} nats, up \
                 to {:.2}; see `errors`, and lower `rtol` and `atol`",
                many(&steps),
                most(&steps)
            ));
        }
        if many(&laws) > 0 {
            task.warn(&format!(
                "the law at the horizon is not the Gaussian that stands for it: {} of {count} log densities are off by more \
                 than {MOST_SILENT} nats, by up to {:.2}; see `errors`, and raise `horizon`",
                many(&laws),
                most(&laws)
            ));
        }
        let all = errors.iter().zip(&steps).zip(&laws).map(|((random, steps), law)| random.hypot(steps + law.abs()));
        let (shape, all) = ([count], all.collect::<Vec<_>>());
        let [values, errors] = [values, all].map(|values| Tensor::from_f64(&shape, &values));
        Ok(LogDensity { values: values?, errors: errors?, evaluations })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two draws of two data each with errors of its own; the values by hand.
    #[test]
    fn draws_are_put_together() {
        let draw = |values: [f64; 2], steps: f64, laws: f64, evaluations| Densities {
            values: values.to_vec(),
            steps: vec![steps; 2],
            laws: vec![laws; 2],
            evaluations,
            ..Densities::default()
        };
        let draws = [draw([-1.0, 2.0], 0.01, -0.03, 7), draw([-1.0 + f64::ln(3.0), 2.0], 0.03, 0.05, 5)];
        let near = |a: f32, b: f64| assert!((f64::from(a) - b).abs() < 1e-6, "{a} not {b}");
        let mean = combine(&draws, Bound::Mean, &Task::default()).unwrap();
        near(mean.values.values()[0], -1.0 + 0.5 * f64::ln(3.0));
        near(mean.errors.values()[0], (0.5 * f64::ln(3.0)).hypot(0.02 + 0.01));
        near(mean.errors.values()[1], 0.03);
        // Weights 1/3 and 1, of the mean 2/3 with the error 1/3.
        let weighted = combine(&draws, Bound::Weighted, &Task::default()).unwrap();
        near(weighted.values.values()[0], -1.0 + f64::ln(2.0));
        near(weighted.errors.values()[0], 0.5_f64.hypot((0.01 + 0.09) / 4.0 + (-0.03 + 0.15) / 4.0));
        near(weighted.values.values()[1], 2.0);
        assert_eq!((mean.evaluations, weighted.evaluations), (7, 7));
    }

    #[test]
    fn scatter_is_shared_between_data() {
        // Half of each variance is the mean, 2.
        assert_eq!(errors_by_scatter(&[0.0, 4.0], 8), [(0.5 * 2.0 / 8.0_f64).sqrt(), (0.5 * 6.0 / 8.0_f64).sqrt()]);
        // Seven degrees of freedom say something, six nothing.
        assert_eq!(errors_by_scatter(&[1.0; 7], 2), [0.5_f64.sqrt(); 7]);
        assert!(errors_by_scatter(&[1.0; 6], 2).iter().all(|error| error.is_nan()));
    }
}
