//! Log densities against closed forms.

use super::*;
use crate::data::{Covariance, Dataset, Mixture};
use crate::host::Host;
use crate::process::Process;
use crate::process::fixtures::{Active, passive};
use crate::sample::perturb;
use crate::score::Exact;
use crate::task::Task;
use crate::tensor::Tensor;

const VARIANCE: f64 = 0.2;
const MEAN: [f64; 2] = [0.5, -1.0];

fn gaussian() -> Dataset {
    let mixture = Mixture::new(vec![1.0], MEAN.to_vec(), Covariance::Isotropic(vec![VARIANCE])).unwrap();
    Dataset::from_mixture("gaussian", mixture).unwrap()
}

fn normal(x: f32, mean: f64, variance: f64) -> f64 {
    -0.5 * (f64::from(x) - mean).powi(2) / variance - 0.5 * (std::f64::consts::TAU * variance).ln()
}

/// log p of each datum.
fn truth(data: &Tensor) -> Vec<f64> {
    let density = |x: &[f32]| normal(x[0], MEAN[0], VARIANCE) + normal(x[1], MEAN[1], VARIANCE);
    data.values().chunks(2).map(density).collect()
}

fn assert_near(found: &LogDensity, truth: &[f64]) {
    for (value, truth) in found.values.values().iter().zip(truth) {
        assert!((f64::from(*value) - truth).abs() < 1e-3, "{value} not {truth}");
    }
}

/// Seen to fail with the divergence of the score left out of the flow's, and with the full noise for half of it.
#[test]
fn gaussian_data_have_their_density() {
    let data = gaussian().sample(64, 3, &Task::default()).unwrap();
    let score = Exact::new(&passive(), &gaussian()).unwrap();
    let found = log_likelihood(&score, &data, &Likelihood::default(), &Task::default()).unwrap();
    assert_near(&found, &truth(&data));
    assert!(found.errors.values().iter().all(|error| (0.0..1e-3).contains(error)));
}

/// Data and auxiliaries are independent at t = 0: every draw gives the density of the data, for either bound.
#[test]
fn auxiliaries_are_averaged_out() {
    let data = gaussian().sample(16, 3, &Task::default()).unwrap();
    let score = Exact::new(&Active::default().process(), &gaussian()).unwrap();
    for bound in [Bound::Weighted, Bound::Mean] {
        let options = Likelihood { bound: Some(bound), auxiliary_draws: 3, ..Likelihood::default() };
        assert_near(&log_likelihood(&score, &data, &options, &Task::default()).unwrap(), &truth(&data));
    }
    let states = perturb(&Active::default().process(), &data, 0.0, 5, &Task::default()).unwrap();
    let found = log_density(&score, &states, &Likelihood::default(), &Task::default()).unwrap();
    let auxiliary = |eta: &[f32]| eta.iter().map(|&eta| normal(eta, 0.0, 2.0)).sum::<f64>();
    let eta = states.block("eta").unwrap().values().into_owned();
    let joint: Vec<_> = truth(&data).iter().zip(eta.chunks(2)).map(|(x, eta)| x + auxiliary(eta)).collect();
    assert_near(&found, &joint);
}

/// Log density at x of Gaussians of equal weight, which have `means` [K, d] and the deviations `std` \[d\].
fn of_mixture(means: &[f64], std: &[f64], x: &[f64]) -> f64 {
    let log = |mean: &[f64]| -> f64 {
        let coordinate = |((x, mean), std): ((&f64, &f64), &f64)| {
            -0.5 * ((x - mean) / std).powi(2) - std.ln() - 0.5 * std::f64::consts::TAU.ln()
        };
        x.iter().zip(mean).zip(std).map(coordinate).sum()
    };
    let logs: Vec<_> = means.chunks(x.len()).map(log).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + (logs.iter().map(|log| (log - most).exp()).sum::<f64>() / logs.len() as f64).ln()
}

/// Holds values to what the density is, within twice the errors that they come with, which must not be beyond `most`.
fn assert_bounded(process: &Process, means: &[f64], std: &[f64], points: &[f64], most: f64) {
    let d = std.len();
    let covariance: Vec<_> = (0..d * d).map(|i| if i % d == i / d { std[i / d].powi(2) } else { 0.0 }).collect();
    let covariance = Covariance::Full(covariance.repeat(means.len() / d));
    let mixture = Mixture::new(vec![1.0; means.len() / d], means.to_vec(), covariance).unwrap();
    let score = Exact::new(process, &Dataset::from_mixture("mixture", mixture).unwrap()).unwrap();
    let x = Tensor::from_f64(&[points.len() / d, d], points).unwrap();
    let found = log_likelihood(&score, &x, &Likelihood::default(), &Task::default()).unwrap();
    for ((x, value), error) in points.chunks(d).zip(found.values.values().iter()).zip(found.errors.values().iter()) {
        let (truth, name) = (of_mixture(means, std, x), process.name());
        let off = (f64::from(*value) - truth).abs();
        assert!(off < 2.0 * f64::from(*error), "{name}, std {std:?}, {x:?}: {value} ± {error}, not {truth}");
        assert!(f64::from(*error) < most, "{name}, std {std:?}, {x:?}: {value} ± {error}");
    }
}

/// In, between and beyond modes that are up to a hundred deviations apart. Differences of the score over a tenth of the
/// noise, for its derivatives, were off by 18 nats at the middle, with an error of 0.
#[test]
fn errors_bound_what_is_off() {
    for std in [0.3, 0.1, 0.03, 0.02] {
        let points = [-1.0, 1.0 + 2.0 * std, 0.0, 0.001, 0.3, -0.9, 1.0 + 6.0 * std];
        assert_bounded(&passive(), &[-1.0, 1.0], &[std], &points, 1.0);
    }
    assert_bounded(&passive(), &[0.0, 0.0], &[100.0, 0.1], &[0.0, 0.0, 100.0, 0.2, -30.0, -0.4], 0.1);
    let diamond = [0.5, 0.0, 0.0, 0.5, -0.5, 0.0, 0.0, -0.5];
    for process in [passive(), Active::default().process()] {
        assert_bounded(&process, &diamond, &[0.04; 2], &[0.5, 0.0, 0.0, 0.0, 0.25, 0.25, -0.6, 0.1], 2.0);
    }
}

/// A linear drift carries a shift of the data along: values and errors are the same, also where the law at the horizon
/// is far from a Gaussian. Values differ by the rounding of states in single precision.
#[test]
fn shifted_data_have_the_same_densities() {
    let process = Process::from_linear("short", &["x"], passive().constant().unwrap().clone(), 0.3).unwrap();
    let points = [-1.0, -0.9, 0.0, 0.4, 1.1];
    let [here, there] = [0.0, 3.0].map(|shift: f64| {
        let covariance = Covariance::from_std(&[0.3; 2]).unwrap();
        let mixture = Mixture::new(vec![1.0; 2], vec![shift - 1.0, shift + 1.0], covariance).unwrap();
        let score = Exact::new(&process, &Dataset::from_mixture("modes", mixture).unwrap()).unwrap();
        let x = Tensor::from_f64(&[5, 1], &points.map(|x| x + shift)).unwrap();
        log_likelihood(&score, &x, &Likelihood::default(), &Task::default()).unwrap()
    });
    let errors = here.errors.values();
    assert!(errors.iter().any(|error| *error > 0.01), "the law at the horizon is seen: {errors:?}");
    for (here, there) in [(here.values.values(), there.values.values()), (errors, there.errors.values())] {
        let apart = here.iter().zip(there.iter()).map(|(here, there)| (here - there).abs()).fold(0.0, f32::max);
        assert!(apart < 2e-3, "{apart}: {here:?} and {there:?}");
    }
}

/// Two halves that are correlated in opposite ways, far apart along the third coordinate: as a whole they have no
/// correlation, and scores see them in their own coordinates.
fn halves() -> Dataset {
    let full = |r: f64| vec![0.3, r, 0.0, r, 0.3, 0.0, 0.0, 0.0, 0.1];
    let means = vec![0.0, 0.0, -40.0, 0.0, 0.0, 40.0];
    let mixture = Mixture::new(vec![1.0; 2], means, Covariance::Full([full(0.28), full(-0.28)].concat())).unwrap();
    Dataset::from_mixture("coupled", mixture).unwrap()
}

/// Log densities of `count` of them: exact, and by random directions.
fn coupled(probes: usize, count: usize) -> [LogDensity; 2] {
    let data = halves();
    let score = Exact::new(&passive(), &data).unwrap();
    let x = data.sample(count, 3, &Task::default()).unwrap();
    [None, Some(Divergence::Hutchinson { probes })].map(|divergence| {
        log_likelihood(&score, &x, &Likelihood { divergence, ..Likelihood::default() }, &Task::default()).unwrap()
    })
}

/// With two directions the signs of the only coupling agree for half of the data, whose values are then off, all by as
/// much, without a scatter of their own. Their errors are half of that, and at least a third unless more than 3/4 of
/// the data disagree, 7 standard deviations; those of the others are 0.87 of it. Seen to fail with each datum's own
/// scatter, which claims an error of 0.
#[test]
fn random_directions_know_their_error() {
    let [exact, random] = coupled(2, 200);
    let off: Vec<_> =
        exact.values.values().iter().zip(random.values.values().iter()).map(|(a, b)| (a - b).abs()).collect();
    let most = off.iter().copied().fold(0.0, f32::max);
    assert!(most > 1.0, "the coupling is weak: {most}");
    // Without what is not random in them.
    let (all, known) = (random.errors.values(), exact.errors.values());
    for (off, error) in off.iter().zip(all.iter().zip(known.iter()).map(|(a, b)| (a * a - b * b).sqrt())) {
        assert!((most / 3.0..1.2 * most).contains(&error), "{off} ± {error}");
    }
    let agree = off.iter().filter(|off| **off > 0.9 * most).count();
    assert!((50..150).contains(&agree) && off.iter().all(|off| *off > 0.9 * most || *off < 0.01), "{agree}");
}

/// Random directions make the mean over auxiliaries' draws the usual bound: a mean of exponentials would be biased.
#[test]
fn the_usual_bound_of_random_directions_is_the_mean() {
    let data = halves().sample(8, 3, &Task::default()).unwrap();
    let score = Exact::new(&Active::default().process(), &halves()).unwrap();
    let by = |bound| {
        let divergence = Some(Divergence::Hutchinson { probes: 1 });
        let options = Likelihood { divergence, bound, auxiliary_draws: 2, ..Likelihood::default() };
        log_likelihood(&score, &data, &options, &Task::default()).unwrap().values
    };
    assert_eq!(by(None).values(), by(Some(Bound::Mean)).values());
    assert_ne!(by(None).values(), by(Some(Bound::Weighted)).values());
}

/// Two directions of two coordinates, and ten rows of four numbers of state and one result, of one datum in single
/// precision.
#[test]
fn memory_of_the_directions_is_counted() {
    let score = Exact::new(&Active::default().process(), &gaussian()).unwrap();
    let x = Tensor::full(&[1, 2], 0.0, &Host::default()).unwrap();
    let bytes = 4.0 * (2.0 * 2.0 + 10.0 * (4.0 + 1.0));
    let within = |bytes: f64| {
        let task = Task::default().with_host(Host::default().with_memory_limit(bytes));
        log_likelihood(&score, &x, &Likelihood { auxiliary_draws: 1, ..Likelihood::default() }, &task)
    };
    assert!(within(bytes + 0.5).is_ok());
    let refused = within(bytes - 0.5).unwrap_err().to_string();
    assert!(refused.contains("in 2 directions of 2 coordinates"), "{refused}");
}

/// Of one datum two directions say nothing, eight do; and three are all that there are.
#[test]
fn too_few_directions_claim_no_error() {
    assert!(coupled(2, 1)[1].errors.values()[0].is_nan());
    let [exact, all] = coupled(3, 1);
    assert_eq!(exact, all);
}

#[test]
fn likelihoods_that_do_not_exist_are_refused() {
    let score = Exact::new(&passive(), &gaussian()).unwrap();
    let refused = |x: &Tensor, options: Likelihood| {
        log_likelihood(&score, x, &options, &Task::default()).unwrap_err().to_string()
    };
    let x = Tensor::full(&[3, 2], 0.0, &Host::default()).unwrap();
    assert!(
        refused(&Tensor::full(&[3, 1], 0.0, &Host::default()).unwrap(), Likelihood::default()).contains("shape [1]")
    );
    assert!(refused(&x, Likelihood { rtol: 1e-12, ..Likelihood::default() }).contains("rtol"));
    let none = Likelihood { divergence: Some(Divergence::Hutchinson { probes: 0 }), ..Likelihood::default() };
    assert!(refused(&x, none).contains("probes"));
    let mut linear = Active::default().process().constant().unwrap().clone();
    linear.start_factor[(1, 1)] = 0.0;
    let fixed = Process::from_linear("fixed", &["x", "eta"], linear, 2.0).unwrap();
    let score = Exact::new(&fixed, &gaussian()).unwrap();
    let error = log_likelihood(&score, &x, &Likelihood::default(), &Task::default()).unwrap_err();
    assert!(error.to_string().contains("eta starts at a fixed value"), "{error}");
}
