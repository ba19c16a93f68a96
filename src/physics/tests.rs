use nalgebra::DMatrix;

use super::*;
use crate::data::{Covariance, Dataset, Mixture};
use crate::expr::{Expression, Function};
use crate::measure::{Estimate, agreement, class_parts};
use crate::process::fixtures::{Active, passive, symbolic};
use crate::process::{Definition, Linear, PriorLaw, Process, Start};
use crate::rng::{Purpose, Stream};
use crate::score::Exact;
use crate::settings::{Setting, Value, Values};
use crate::task::Task;
use crate::tensor::Tensor;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn mixture(means: &[f64], d: usize, covariance: Covariance) -> Dataset {
    let weights = vec![1.0; means.len() / d];
    Dataset::from_mixture("two", Mixture::new(weights, means.to_vec(), covariance).unwrap()).unwrap()
}

fn near(found: f64, truth: f64, part: f64) {
    assert!((found - truth).abs() <= part * truth.abs(), "{found} for {truth}");
}

/// Damped motion with white noise on the speed, and three blocks in a row.
fn others() -> Vec<Process> {
    let motion = Linear {
        drift: DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -1.0, -2.0]),
        noise: DMatrix::from_row_slice(2, 1, &[0.0, 2.0]),
        start_factor: DMatrix::from_diagonal_element(2, 2, 0.0) + DMatrix::from_row_slice(2, 2, &[0.0, 0.0, 0.0, 0.2]),
        ..Active::default().linear()
    };
    let row = Linear {
        drift: DMatrix::from_row_slice(3, 3, &[-1.0, 1.0, 0.0, 0.0, -2.0, 1.5, 0.3, 0.0, -1.0]),
        offset: nalgebra::DVector::from_vec(vec![0.5, 0.0, 0.0]),
        noise: DMatrix::from_row_slice(3, 2, &[0.1, 0.0, 0.0, 0.0, 0.0, 1.0]),
        start_mean: nalgebra::DVector::zeros(3),
        start_factor: DMatrix::from_diagonal(&nalgebra::DVector::from_vec(vec![0.0, 0.4, 0.7])),
    };
    vec![
        Process::from_linear("motion", &["x", "v"], motion, 2.0).unwrap(),
        Process::from_linear("row", &["x", "a", "b"], row, 2.0).unwrap(),
        Active { passive: 0.3, ..Active::default() }.process(),
    ]
}

#[test]
fn information_of_white_noise_is_that_of_the_closed_form() {
    let process = passive();
    for t in [1e-8, 0.1, 1.0, 2.0] {
        let noise = -f64::exp_m1(-2.0 * t);
        near(fisher(&process, t, None).unwrap(), f64::exp(-2.0 * t) / noise, 1e-13);
        near(fisher_decay(&process, t, None).unwrap(), 2.0 / noise, 1e-13);
    }
}

/// By the inverse of the covariance, and by differences in time. Seen to fail when what feeds the observed from the
/// others is left out.
#[test]
fn decay_of_information_is_its_derivative() {
    for process in others() {
        let all = process.blocks().to_vec();
        for observe in [vec![all[0].clone()], all.clone(), all[1..].to_vec(), vec![all[1].clone(), all[0].clone()]] {
            let of = |t: f64| fisher(&process, t, Some(&observe)).unwrap();
            let kernel = process.kernel(0.7).unwrap();
            let seen: Vec<usize> = (0..all.len()).filter(|i| observe.contains(&all[*i])).collect();
            let covariance = kernel.covariance.select_rows(&seen).select_columns(&seen);
            let response = kernel.response().select_rows(&seen);
            let direct = (response.transpose() * covariance.try_inverse().unwrap() * &response)[(0, 0)];
            near(of(0.7), direct, 1e-9);
            if direct > 0.0 {
                let h = 1e-4;
                let slope = -(of(0.7 + h).ln() - of(0.7 - h).ln()) / (2.0 * h);
                near(fisher_decay(&process, 0.7, Some(&observe)).unwrap(), slope, 1e-6);
            }
        }
    }
}

#[test]
fn the_driving_noise_alone_knows_nothing_of_the_datum() {
    let process = Active::default().process();
    assert_eq!(fisher(&process, 0.5, Some(&names(&["eta"]))).unwrap(), 0.0);
    assert!(fisher_decay(&process, 0.5, Some(&names(&["eta"]))).unwrap_err().to_string().contains("nothing is left"));
    assert!(fisher(&process, 0.0, None).unwrap_err().to_string().contains("noise has reached x, got 0"));
    let problem = fisher(&process, 0.5, Some(&names(&["etta"]))).unwrap_err();
    assert!(problem.hint().unwrap().contains("`eta`"), "{problem}");
    assert!(fisher(&process, 0.5, Some(&[])).unwrap_err().to_string().contains("is empty"));
}

/// At 5 standard errors; J of a Gaussian is one over its variance.
#[test]
fn marginal_information_of_gaussian_data() {
    let task = Task::default();
    let data = mixture(&[0.0, 0.0], 2, Covariance::Isotropic(vec![0.49]));
    let score = Exact::new(&passive(), &data).unwrap();
    let found = fisher_marginal(&score, &data, 0.3, Draws { count: 20_000, seed: 1 }, &task).unwrap();
    let truth = 2.0 / (1.0 + (0.49 - 1.0) * f64::exp(-0.6));
    assert!((found.value - truth).abs() < 5.0 * found.error, "{found:?} for {truth}");
    assert!(found.error < 0.02 * truth);
}

#[test]
fn auxiliaries_explain_noise_as_their_correlation_says() {
    for process in others() {
        let kernel = process.kernel(0.4).unwrap();
        let covariance = &kernel.covariance;
        let rest = covariance.view((1, 1), (covariance.nrows() - 1, covariance.nrows() - 1)).into_owned();
        let between = covariance.view((1, 0), (covariance.nrows() - 1, 1)).into_owned();
        let explained = (between.transpose() * rest.try_inverse().unwrap() * &between)[(0, 0)] / covariance[(0, 0)];
        near(noise_explained(&process, 0.4).unwrap(), explained, 1e-9);
        let correlation = correlation(&process, 0.4).unwrap();
        let truth = covariance[(0, 1)] / (covariance[(0, 0)] * covariance[(1, 1)]).sqrt();
        near(correlation[(1, 0)], truth, 1e-14);
        assert_eq!(correlation[(1, 1)], 1.0);
    }
    assert_eq!(noise_explained(&passive(), 0.4).unwrap(), 0.0);
    assert!(noise_explained(&passive(), 0.0).unwrap_err().to_string().contains("reached the data"));
}

#[test]
fn speciation_of_white_noise_is_that_of_the_closed_form() {
    let task = Task::default();
    for (at, std) in [(2.0, 0.1), (0.01, 1e-4), (1e-4, 1e-6)] {
        let data = mixture(&[-at, at], 1, Covariance::Isotropic(vec![std * std; 2]));
        let truth = 0.5 * (at * at + std * std).ln_1p();
        near(speciation_time(&passive(), &data, &task).unwrap(), truth, 1e-9);
        near(speciation_estimate(&passive(), &data, &task).unwrap(), truth, 1e-12);
    }
}

#[test]
fn speciation_is_where_data_are_as_wide_as_their_noise() {
    let task = Task::default();
    let data = mixture(&[-2.0, 0.5, 2.0, -0.5], 2, Covariance::Isotropic(vec![0.01; 2]));
    for process in others() {
        let process = process.until(6.0).unwrap();
        let time = speciation_time(&process, &data, &task).unwrap();
        let kernel = process.kernel(time).unwrap();
        near(kernel.response()[(0, 0)].powi(2) * (4.25 + 0.01), kernel.covariance[(0, 0)], 1e-9);
    }
    let wide = mixture(&[-50.0, 50.0], 1, Covariance::Isotropic(vec![1.0; 2]));
    let problem = speciation_time(&passive(), &wide, &task).unwrap_err().to_string();
    assert!(problem.contains("not lost by its horizon 2: they are 6.8"), "{problem}");
    let fed = &others()[0];
    assert!(speciation_estimate(fed, &data, &task).unwrap_err().to_string().contains("driven by the data"));
}

/// Beyond the coordinates whose correlations the moments know.
#[test]
fn the_widest_direction_of_many_coordinates() {
    let task = Task::default();
    let (n, d) = (60, 40);
    let mut values = vec![0.0; n * d];
    Stream::new(3, Purpose::Script).normals(0, 0, &mut values);
    values.chunks_exact_mut(d).for_each(|row| (0..d).for_each(|c| row[c] += 3.0 * row[0] * (c % 3) as f32));
    let rows = DMatrix::from_row_iterator(n, d, values.iter().map(|v| f64::from(*v)));
    let centred = DMatrix::from_fn(n, d, |i, j| rows[(i, j)] - rows.column(j).mean());
    let truth = (centred.transpose() * centred / n as f64).symmetric_eigenvalues().max();
    let data = Dataset::from_points("many", &Tensor::new(&[n, d], values).unwrap()).unwrap();
    near(data.largest_variance(&task).unwrap(), truth, 1e-10);
    let means: Vec<f64> = (0..2 * d).map(|i| if i < d { 1.0 } else { -1.0 }).collect();
    let data = mixture(&means, d, Covariance::Isotropic(vec![0.3; 2]));
    near(data.largest_variance(&task).unwrap(), d as f64 + 0.3, 1e-10);
}

#[test]
fn modes_of_gaussians_points_and_draws() {
    let task = Task::default();
    let process = Active { passive: 0.2, ..Active::default() }.process();
    let wave = [1.5, -0.5];
    let full = Covariance::Full(vec![0.3, 0.1, 0.1, 0.2]);
    let data = mixture(&[0.4, -0.7], 2, full);
    let kernel = process.kernel(0.6).unwrap();
    let a = kernel.response()[(0, 0)];
    let own = 0.3 * 2.25 + 2.0 * 0.1 * -0.75 + 0.2 * 0.25;
    let truth = (-0.5 * (a * a * own + 2.5 * kernel.covariance[(0, 0)])).exp();
    let mode = |data: &Dataset| mode_decay(&process, data, &wave, 0.6, Draws { count: 4000, seed: 2 }, &task).unwrap();
    let Mode::Exact(found) = mode(&data) else { panic!("a mixture is exact") };
    near(found, truth, 1e-13);
    // As points, the same data differ by chance: 4000 draws, 5 standard errors of at most 1/√4000 each.
    let points = Dataset::from_points("points", &data.sample(4000, 1, &task).unwrap()).unwrap();
    let Mode::Exact(found) = mode(&points) else { panic!("points are exact") };
    assert!((found - truth).abs() < 5.0 / 4000_f64.sqrt());
    let Mode::Estimated(found) = mode(&Dataset::swiss_rolls()) else { panic!("drawn") };
    let Mode::Estimated(again) =
        mode_decay(&process, &Dataset::swiss_rolls(), &wave, 0.6, Draws { count: 100_000, seed: 9 }, &task).unwrap()
    else {
        panic!("drawn")
    };
    assert!((found.value - again.value).abs() < 5.0 * found.error, "{found:?} {again:?}");
    assert!(
        mode_decay(&process, &data, &[1.0], 0.6, Draws { count: 9, seed: 0 }, &task)
            .unwrap_err()
            .to_string()
            .contains("a datum has 2")
    );
}

/// ∫ of `of` over the state of two narrow classes at ±1 under white noise, by the midpoint rule.
fn by_quadrature(t: f64, of: impl Fn(f64) -> f64) -> f64 {
    let (a, deviation) = (f64::exp(-t), (-f64::exp_m1(-2.0 * t)).sqrt());
    let step = 1e-3;
    let density = |z: f64| (-0.5 * (z / deviation).powi(2)).exp() / (deviation * std::f64::consts::TAU.sqrt());
    (-12_000..12_000)
        .map(|i| {
            let z = (f64::from(i) + 0.5) * step;
            let (left, right) = (0.5 * density(z + a), 0.5 * density(z - a));
            let total = left + right;
            if total > 0.0 { step * total * of(right / total) } else { 0.0 }
        })
        .sum()
}

/// At 5 standard errors, of 20,000 draws: a false alarm in 2 million; seen to fail with the probabilities taken at √2
/// times the noise.
#[test]
fn two_classes_by_quadrature() {
    let task = Task::default();
    let data = mixture(&[-1.0, 1.0], 1, Covariance::Isotropic(vec![1e-10; 2]));
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    for t in [0.2, 0.8] {
        let check = |found: Estimate, truth: f64| {
            assert!((found.value - truth).abs() < 5.0 * found.error, "t = {t}: {found:?} for {truth}");
            assert!(found.error < 0.01);
        };
        let classes = Classes::new(&passive(), &data, t, None).unwrap();
        let draws = |seed| Draws { count: 20_000, seed };
        let information = classes.information(draws(3), &task).unwrap();
        check(information, 2_f64.ln() - by_quadrature(t, |p| part(p) + part(1.0 - p)));
        let accuracy = classes.accuracy(draws(4), &task).unwrap();
        check(accuracy, by_quadrature(t, |p| p.max(1.0 - p)));
        let agreement = classes.clone_agreement(draws(5), &task).unwrap();
        check(agreement, by_quadrature(t, |p| p * p + (1.0 - p) * (1.0 - p)));
    }
}

/// Copies that stay independent, the same as one joint law, and as labelled points: at 5 standard errors.
#[test]
fn ways_to_the_law_of_classes_agree() {
    let task = Task::default();
    let process = Active::default().process();
    let means = [-0.5, 0.3, 0.5, 0.1];
    let split = mixture(&means, 2, Covariance::Isotropic(vec![0.01, 0.02]));
    let joint = mixture(&means, 2, Covariance::Full(vec![0.01, 0.0, 0.0, 0.01, 0.02, 0.0, 0.0, 0.02]));
    let drawn = split.sample(2000, 1, &task).unwrap();
    let labels = split.classify(&drawn, &task).unwrap().iter().map(ToString::to_string).collect();
    let points = Dataset::from_points("points", &drawn).unwrap().with_labels(labels).unwrap();
    for observe in [Some(names(&["x"])), None] {
        let of = |data: &Dataset, count| {
            let classes = Classes::new(&process, data, 0.5, observe.as_deref()).unwrap();
            classes.accuracy(Draws { count, seed: 1 }, &task).unwrap()
        };
        let [a, b, c] = [of(&split, 20_000), of(&joint, 20_000), of(&points, 2000)];
        assert!((a.value - b.value).abs() < 5.0 * a.error.hypot(b.error), "{a:?} {b:?}");
        // The points themselves are a sample, as many as the draws.
        assert!((a.value - c.value).abs() < 5.0 * a.error.hypot(2.0 * c.error), "{a:?} {c:?}");
        assert!(a.error < 0.005);
    }
    let alone = Classes::new(&process, &split, 0.5, Some(&names(&["eta"]))).unwrap();
    let none = alone.information(Draws { count: 100, seed: 0 }, &task).unwrap();
    assert!(none.value < 1e-12, "{none:?}");
    let problem = Classes::new(&process, &Dataset::swiss_rolls(), 0.5, None).err().unwrap();
    assert!(problem.to_string().contains("no classes whose law"), "{problem}");
}

#[test]
fn components_are_told_by_weight_and_width() {
    let task = Task::default();
    let law = Mixture::new(vec![1.0, 0.0, 3.0], vec![-1.0, 0.0, 1.0], Covariance::Isotropic(vec![0.01, 1.0, 4.0]));
    let data = Dataset::from_mixture("three", law.unwrap()).unwrap();
    let x = Tensor::new(&[4, 1], vec![-1.0, -0.5, 0.0, 9.0]).unwrap();
    assert_eq!(data.classify(&x, &task).unwrap(), [0, 2, 2, 2]);
    assert_eq!(class_parts(&[0, 2, 2, 2], 3), [0.25, 0.0, 0.75]);
    let found = data.classify(&x, &task).unwrap();
    assert_eq!(agreement(&found, &found).unwrap().value, 1.0);
    let wide = Tensor::new(&[4, 2], vec![0.0; 8]).unwrap();
    assert!(data.classify(&wide, &task).unwrap_err().to_string().contains("of 2 coordinates, the mixture of 1"));
    assert!(Dataset::swiss_rolls().classify(&wide, &task).unwrap_err().to_string().contains("is no mixture"));
}

/// Active noise whose auxiliary starts by a law of its own, by a covariance, in its stationary law, and with a drift
/// that changes with the time.
fn learnable() -> Vec<Process> {
    let active = symbolic(1.5);
    let with = |start: Start, slow: bool| {
        let mut definition = Definition { start, ..active.definition().clone() };
        if slow {
            let clock = Expression::constant(1.0).add(&Expression::time());
            definition.drift[0] = definition.drift[0].multiply(&clock);
        }
        Process::new(definition, 1.5).unwrap()
    };
    let [k, tau] = ["k", "tau"].map(Expression::parameter);
    let joint = Start::Joint { mean: vec![k.clone()], covariance: vec![vec![k.multiply(&tau)]] };
    vec![active.clone(), with(joint.clone(), false), with(Start::Stationary {}, false), with(joint, true)]
}

/// Of all terms: the prior, matched and stationary, steps, the last step; by linear guesses and by those of a mixture,
/// whose table is cubic between places. No chance is involved. Seen to fail without the derivative of the law at t = 0,
/// with the sign of that of the covariance turned, and without that of the stationary law.
#[test]
fn slopes_of_bounds_are_limits_of_differences() {
    let two = mixture(&[-0.4, 0.3, 0.9, -0.2], 2, Covariance::Isotropic(vec![0.01, 0.04]));
    let one = mixture(&[0.3, -0.2], 2, Covariance::Full(vec![0.3, 0.1, 0.1, 0.2]));
    for data in [two, one] {
        let denoising = denoising::Denoising::new(&data, Draws { count: 256, seed: 1 }, &Task::default()).unwrap();
        for process in learnable() {
            let names: Vec<String> = process.parameters().keys().cloned().collect();
            for prior in [PriorLaw::Matched, PriorLaw::Stationary] {
                if prior == PriorLaw::Stationary && process.constant().is_none() {
                    continue;
                }
                let times = &[1.0, 0.6, 0.3, 0.1, 0.02];
                let bound = bound::Bound { moments: data.moments(), denoising: &denoising, prior, times };
                let (_, slopes) = bound.of(&process, &names).unwrap();
                for (name, slope) in names.iter().zip(slopes) {
                    let at = |step: f64| {
                        let moved = [(name.clone(), process.parameters()[name] + step)].into();
                        bound.of(&process.vary(&moved).unwrap(), &[]).unwrap().0.total()
                    };
                    let h = 1e-5;
                    near(slope, (at(h) - at(-h)) / (2.0 * h), 1e-6);
                }
            }
        }
    }
}

/// White noise from data of variance s and mean m, of which e^{-2kT} = a is left, with the stationary law as prior: its
/// variance is best at a s/(s/(s + m²) − 1 + a), which without a mean is s. Seen to fail without the mean in the
/// derivative of the prior's part.
#[test]
fn white_noise_learns_the_variance_of_the_data() {
    let [x, k, temperature] = [Expression::component(0, "x"), Expression::parameter("k"), Expression::parameter("T")];
    let definition = Definition {
        name: "passive".into(),
        blocks: names(&["x"]),
        coordinates: None,
        parameters: [("k".to_owned(), 0.5), ("T".to_owned(), 1.0)].into(),
        drift: vec![k.multiply(&x).negate()],
        noise: vec![vec![Expression::constant(2.0).multiply(&temperature).apply(Function::Sqrt)]],
        start: Start::Each(vec![None]),
        periodic: Vec::new(),
    };
    let process = Process::new(definition, 1.0).unwrap();
    for mean in [0.0, 0.1] {
        let data = mixture(&[mean], 1, Covariance::Isotropic(vec![0.25]));
        let given = |setting: &'static Setting| {
            Ok::<_, crate::error::Error>(match setting.name {
                "parameters" => Some(Value::Texts(names(&["T"]))),
                "prior" => Some(Value::Text("stationary".into())),
                "steps" => Some(Value::Number(0.0)),
                _ => None,
            })
        };
        let values = Values::read(&[LEARN], given).unwrap();
        let learned = learn(&process, &data, &values, &Task::default()).unwrap();
        let left = f64::exp(-1.0);
        assert!(learned.converged());
        near(learned.process.parameters()["T"] / 0.5, left * 0.25 / (0.25 / (0.25 + mean * mean) - 1.0 + left), 1e-4);
    }
}

/// Of Gaussian data and infinitely many steps the prior loses KL(p_T ‖ prior), by matrices here. Seen to fail without
/// the product of the datum's mean and the offset.
#[test]
fn the_prior_loses_how_far_it_is_from_the_law_at_the_horizon() {
    let data = mixture(&[0.4], 1, Covariance::Isotropic(vec![0.3]));
    let denoising = denoising::Denoising::new(&data, Draws { count: 64, seed: 0 }, &Task::default()).unwrap();
    for process in learnable().iter().take(3) {
        let prior = PriorLaw::Stationary;
        let bound = bound::Bound { moments: data.moments(), denoising: &denoising, prior, times: &[] };
        let law = process.kernel(process.horizon()).unwrap().with_data_variance(0.3);
        let settled = process.stationary().unwrap();
        let precision = settled.covariance.clone().try_inverse().unwrap();
        let away = nalgebra::DVector::from_vec(law.mean(&[0.4])) - settled.mean;
        let volumes = settled.covariance.determinant() / law.covariance.determinant();
        let truth =
            (&precision * &law.covariance).trace() + (away.transpose() * precision * away)[0] - 2.0 + volumes.ln();
        near(bound.of(process, &[]).unwrap().0.total(), 0.5 * truth, 1e-10);
    }
}

/// One Gaussian that is written as a mixture of two, whose guess no draw changes: its table is off by the cubics
/// between places.
#[test]
fn denoising_errors_of_gaussians() {
    let twice = mixture(&[0.2, 0.2], 1, Covariance::Isotropic(vec![0.3, 0.3]));
    let once = mixture(&[0.2], 1, Covariance::Isotropic(vec![0.3]));
    let draws = Draws { count: 64, seed: 0 };
    let [drawn, exact] = [twice, once].map(|data| denoising::Denoising::new(&data, draws, &Task::default()).unwrap());
    for information in [1e-6, 1e-3, 0.1, 1.0, 7.0, 1e3, 1e6] {
        let [[error, slope], [true_error, true_slope]] = [&drawn, &exact].map(|one| one.error(information));
        near(error, true_error, 1e-3);
        assert!((slope - true_slope).abs() * information < 0.01 * true_error, "{slope} for {true_slope}");
        near(drawn.information(information), exact.information(information), 1e-3);
        let [found, truth] = [&drawn, &exact].map(|one| one.entropy_left(information));
        assert!((found - truth).abs() < 3e-3, "{found} for {truth} at {information}");
    }
}
