use nalgebra::{DMatrix, DVector};

use super::*;
use crate::data::{Covariance, Mixture};
use crate::expr::{Expression, Operation};
use crate::process::fixtures::{Active, one_component};
use crate::process::{Definition, Linear, Start, StartLaw};

/// The means and the variance of both coordinates of the data.
const MEANS: [f64; 2] = [0.8, -0.4];
const VARIANCE: f64 = 0.3;

fn gaussian() -> Dataset {
    let covariance = Covariance::from_std(&[VARIANCE.sqrt()]).unwrap();
    Dataset::from_mixture("gaussian", Mixture::new(vec![1.0], MEANS.to_vec(), covariance).unwrap()).unwrap()
}

fn measured_of(process: &Process, data: &Dataset) -> SimulatedBasis {
    let simulation = Simulation { chain_steps: 60, ..Simulation::default() };
    SimulatedBasis::new(process, data, &simulation, &Task::default()).unwrap()
}

/// dx = (x − x³) dt + dW, up to t = ½.
fn double_well() -> Process {
    let x = Expression::component(0, "x");
    let drift = x.combine(Operation::Subtract, &x.multiply(&x).multiply(&x));
    one_component(drift, Expression::constant(1.0), 0.5)
}

/// Of Gaussian data under a linear process all is known from the kernel: with 2¹⁵ samples of two copies the standard
/// error of a mean is 0.0055 deviations and that of a variance 0.55 %; 7 of them are allowed, once in 10¹¹ seeds for
/// one number.
#[test]
fn simulated_moments_are_those_of_the_kernel() {
    let linear = Active { passive: 0.2, force: 0.7, start: 0.5, ..Active::default() }.linear();
    let process = Process::from_linear("active", &["x", "eta"], linear, 1.0).unwrap();
    let basis = measured_of(&process, &gaussian());
    for time in [0.1, 0.55, 1.0] {
        let kernel = process.kernel(time).unwrap();
        let response = kernel.response();
        let covariance = &kernel.covariance + &response * response.transpose() * VARIANCE;
        let frame = basis.at(time).unwrap();
        let Gaussian { scale, gauss } = &frame.gaussians[0];
        for i in 0..2 {
            let deviation = covariance[(i, i)].sqrt();
            assert!((scale[i] / deviation - 1.0).abs() < 0.02, "{time}: {} {deviation}", scale[i]);
            for (copy, mean) in MEANS.iter().enumerate() {
                let (found, truth) = (frame.mean[2 * i + copy], response[(i, 0)] * mean + kernel.offset[i]);
                assert!((found - truth).abs() < 0.04 * deviation, "{time}: {found} {truth}");
            }
        }
        let precision = covariance.clone().try_inverse().unwrap();
        for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let unit = (precision[(i, i)] * precision[(j, j)]).sqrt();
            let error = (gauss[(i, j)] - precision[(i, j)]) / unit;
            assert!(error.abs() < 0.06, "{time}: {gauss} {precision}");
        }
    }
    let last = process.kernel(1.0).unwrap();
    let carried: Vec<_> = last.response().iter().map(|r| r * r * VARIANCE).collect();
    let signal = (0..2).map(|i| carried[i] / (carried[i] + last.covariance[(i, i)])).fold(0.0, f64::max);
    let measured = basis.measured();
    assert!((measured.residual_signal - signal).abs() < 0.02, "{} {signal}", measured.residual_signal);
    assert_eq!(basis.warning().is_some(), signal > MUCH_SIGNAL);
}

/// The samples of the prior are the end states, and the walls are a little outside of all that was reached.
#[test]
fn ends_and_reach_are_those_of_the_paths() {
    let process = Active { passive: 0.2, force: 0.7, ..Active::default() }.process();
    let basis = measured_of(&process, &gaussian());
    let Measured { reach, ends, mean, covariance, .. } = basis.measured();
    let steps = basis.chain().steps();
    assert_eq!(ends.len(), 4 << 12);
    for row in 0..4 {
        let variance = covariance[4 * steps + 3 * (row / 2)];
        let own = || ends.iter().skip(row).step_by(4).map(|&z| f64::from(z));
        let found = own().sum::<f64>() / 4096.0;
        let square = own().map(|z| (z - found).powi(2)).sum::<f64>() / 4096.0;
        assert!((found - mean[4 * steps + row]).abs() < 0.11 * variance.sqrt(), "{row}: {found}");
        // 7 standard errors of 2.2 %, of which the copies' own variances may differ.
        assert!((square / variance - 1.0).abs() < 0.16, "{row}: {square} {variance}");
        let [low, high] = reach[row].map(f64::from);
        let (least, most) = own().fold((f64::MAX, f64::MIN), |(a, b), z| (a.min(z), b.max(z)));
        assert!(low <= least && most <= high && high - low < 16.0 * variance.sqrt().max(1.0), "{row}: {low} {high}");
        let wall = basis.walls().unwrap()[row].map(f64::from);
        let margin = 0.15 * (high - low);
        assert!((wall[0] - (low - margin)).abs() + (wall[1] - (high + margin)).abs() < 1e-4 * margin, "{wall:?}");
    }
}

/// Of the equilibrium score φ = 2x − 2x³ under Gaussian data, at the beginning: E φ, and by Stein's identity its
/// covariance with x, v E ∂φ. 2¹⁶ samples tell each to better than 1.5 %.
#[test]
fn equilibrium_scores_are_measured() {
    let basis = measured_of(&double_well(), &gaussian());
    let Measured { level, balance, .. } = basis.measured();
    let v = VARIANCE;
    let value = |m: f64| 2.0 * m - 2.0 * (m.powi(3) + 3.0 * m * v);
    let slope = |m: f64| 2.0 - 6.0 * (m * m + v);
    let square = |m: f64| {
        let fourth = m.powi(4) + 6.0 * m * m * v + 3.0 * v * v;
        let sixth = m.powi(6) + 15.0 * m.powi(4) * v + 45.0 * m * m * v * v + 15.0 * v.powi(3);
        4.0 * (m * m + v - 2.0 * fourth + sixth) - value(m).powi(2)
    };
    let mean = |of: &dyn Fn(f64) -> f64| MEANS.iter().map(|&m| of(m)).sum::<f64>() / 2.0;
    for (found, m) in level.iter().zip(MEANS) {
        assert!((found - value(m)).abs() < 7.0 * (square(m) / 32768.0).sqrt(), "{found} {}", value(m));
    }
    for (found, truth) in balance.iter().zip([v * mean(&slope), mean(&square), mean(&slope)]) {
        assert!((found / truth - 1.0).abs() < 0.1, "{found} {truth}");
    }
}

/// A law that the process keeps has the equilibrium score at all times: all of the weight is on it.
#[test]
fn in_equilibrium_the_gaussian_has_no_part() {
    let density = |x: f64| (x * x - 0.5 * x.powi(4)).exp();
    let grid: Vec<f64> = (-3000..=3000).map(|i| f64::from(i) * 1e-3).collect();
    let total: f64 = grid.iter().map(|&x| density(x)).sum();
    let (mut below, mut values) = (0.0, Vec::new());
    for &x in &grid {
        below += density(x) / total;
        while (values.len() as f64 + 0.5) / 2000.0 < below {
            values.push(x);
        }
    }
    let data = Dataset::from_values("wells", &[values.len(), 1], &values).unwrap();
    let basis = measured_of(&double_well(), &data);
    for time in [0.05, 0.3, 0.5] {
        let frame = basis.at(time).unwrap();
        let (weight, gauss) = (frame.balance.unwrap().weight[0], frame.gaussians[0].gauss[(0, 0)]);
        assert!((weight - 1.0).abs() < 0.1 && gauss.abs() < 0.2, "{time}: {weight} {gauss}");
    }
}

#[test]
fn rows_are_linear_between_steps() {
    let values = [0.0, 1.0, 10.0, 21.0, 20.0, 31.0];
    assert_eq!(Measured::between(&values, 2, 1.25), [12.5, 23.5]);
    assert_eq!(Measured::between(&values, 2, 0.5), [5.0, 11.0]);
    assert_eq!(Measured::between(&values, 2, 2.0), [20.0, 31.0]);
}

/// Files hold numbers of few digits, and what does not fit the process is refused.
#[test]
fn descriptions_come_back() {
    let basis = measured_of(&double_well(), &gaussian());
    let description = basis.description();
    let subject = || Subject::of(&double_well(), &gaussian()).unwrap().along_coordinates();
    let back = crate::score::basis::restore(basis.kind(), description.clone(), subject()).unwrap();
    assert_eq!(back.description(), description);
    let frames = [back.at(0.2).unwrap(), basis.at(0.2).unwrap()];
    assert_eq!(frames[0].mean, frames[1].mean);
    assert!(description["ends"][0].to_string().len() < 14, "{}", description["ends"][0]);
    for list in ["mean", "covariance", "log_unit", "level", "balance", "reach", "ends"] {
        let mut torn = description.clone();
        torn[list].as_array_mut().unwrap().pop();
        assert!(restore(torn, subject()).is_err(), "{list}");
    }
}

/// dx = v dt, dv = (−ω² x − γ v) dt + √γ dW, up to a quarter of the period: data start x, and are what v ends with,
/// whose start is a number.
#[test]
fn signals_are_found_in_any_component_and_rest_is_rest() {
    let (rate, damping, horizon) = (4.0_f64, 0.3, 0.4);
    let linear = Linear {
        drift: DMatrix::from_row_slice(2, 2, &[0.0, 1.0, -rate * rate, -damping]),
        offset: DVector::zeros(2),
        noise: DMatrix::from_diagonal(&DVector::from_vec(vec![0.0, damping.sqrt()])),
        start_mean: DVector::from_vec(vec![0.0, 300.1]),
        start_factor: DMatrix::zeros(2, 2),
    };
    let process = Process::from_linear("oscillator", &["x", "v"], linear, horizon).unwrap();
    let basis = measured_of(&process, &gaussian());
    let kernel = process.kernel(horizon).unwrap();
    let signal = |i: usize| kernel.response()[(i, 0)].powi(2) * VARIANCE;
    let [x, v] = [0, 1].map(|i| signal(i) / (signal(i) + kernel.covariance[(i, i)]));
    let measured = basis.measured();
    assert!(v > 2.0 * x && (measured.residual_signal - v).abs() < 0.02, "{x} {v} {}", measured.residual_signal);
    let (start, later) = measured.covariance.split_at(4);
    assert!((start[0] / VARIANCE - 1.0).abs() < 0.04 && start[1..] == [0.0; 3], "{start:?}");
    assert!(later.chunks_exact(4).all(|covariance| covariance[0] > 0.0 && covariance[3] > 0.0));
}

/// The sums of 2¹⁵ paths in blocks of 256 for each time of the chain: of one component with one φ and two copies, 2
/// means, 2 levels, a square, a product, and φ² and ∂φ.
#[test]
fn memory_of_the_paths_is_counted() {
    let bytes = 8.0 * 128.0 * (measured_of(&double_well(), &gaussian()).chain.steps() + 1) as f64 * 8.0;
    let simulation = Simulation { chain_steps: 60, ..Simulation::default() };
    let within = |bytes: f64| {
        let task = Task::default().with_host(crate::host::Host::default().with_memory_limit(bytes));
        SimulatedBasis::new(&double_well(), &gaussian(), &simulation, &task)
    };
    assert!(within(bytes + 0.5).is_ok());
    let refused = within(bytes - 0.5).err().unwrap().to_string();
    assert!(refused.starts_with("`chain_steps` of 60 for 2 components"), "{refused}");
}

/// A window begins with the last step before it, and has no fewer steps than noise needs.
#[test]
fn windows_begin_where_they_should() {
    let basis = measured_of(&double_well(), &gaussian());
    let (times, steps) = (basis.chain().times(), basis.chain().steps());
    let begin = basis.window_begin(steps, 0.2);
    assert!(times[begin] <= 0.3 + 1e-9 && 0.3 <= times[begin + 1] + 1e-9, "{begin}: {times:?}");
    assert_eq!(basis.window_begin(steps, 0.5), 0);
    assert_eq!(basis.window_begin(steps, 1e-9), steps - 2);
    assert_eq!(basis.window_begin(1, 1e-9), 0);
}

#[test]
fn numbers_are_kept_by_their_fewest_digits() {
    for (value, digits) in [(0.1_f32, 0.1), (-2.5e-30, -2.5e-30), (16_777_216.0, 16_777_216.0), (0.0, 0.0)] {
        assert_eq!(measured::shortest(value), digits);
    }
}

/// x ← η ← a force that begins at 0.7: three components. Means and covariances of the others by the
/// kernel, within the errors that [`simulated_moments_are_those_of_the_kernel`] states.
#[test]
fn moments_of_three_components_keep_their_places() {
    let linear = Linear {
        drift: DMatrix::from_row_slice(3, 3, &[-1.0, 1.0, 0.0, 0.0, -2.0, 0.5, 0.0, 0.0, -1.0]),
        offset: DVector::zeros(3),
        noise: DMatrix::from_diagonal(&DVector::from_vec(vec![0.3, 1.0, 0.6])),
        start_mean: DVector::from_vec(vec![0.0, 0.4, 0.7]),
        start_factor: DMatrix::from_diagonal(&DVector::from_vec(vec![0.0, 0.5, 0.0])),
    };
    let process = Process::from_linear("driven", &["x", "eta", "force"], linear, 0.5).unwrap();
    let basis = measured_of(&process, &gaussian());
    let (kernel, Measured { mean, covariance, .. }) = (process.kernel(0.5).unwrap(), basis.measured());
    let response = kernel.response();
    let truth = &kernel.covariance + &response * response.transpose() * VARIANCE;
    let (mean, covariance) = (&mean[mean.len() - 6..], &covariance[covariance.len() - 9..]);
    for i in 0..3 {
        for (copy, start) in MEANS.iter().enumerate() {
            let exact = response[(i, 0)] * start + kernel.offset[i];
            assert!((mean[2 * i + copy] - exact).abs() < 0.04 * truth[(i, i)].sqrt(), "{i}: {mean:?} {exact}");
        }
        for j in 0..3 {
            let unit = (truth[(i, i)] * truth[(j, j)]).sqrt();
            let error = (covariance[3 * i + j] - truth[(i, j)]).abs();
            assert!(error <= 0.04 * unit, "{i} {j}: {covariance:?} {truth}");
        }
    }
}

/// Where the data explain much of the end states it is said, and how much.
#[test]
fn a_short_horizon_is_warned_of_with_its_signal() {
    let linear = Active { passive: 0.2, ..Active::default() }.linear();
    let process = Process::from_linear("active", &["x", "eta"], linear, 0.2).unwrap();
    let basis = measured_of(&process, &gaussian());
    let signal = 100.0 * basis.measured().residual_signal;
    let warning = basis.warning().unwrap();
    assert!(warning.contains(&format!("still explain {signal:.1} % of the variance")) && signal > 20.0, "{warning}");
    let note = basis.note().unwrap();
    let whole = format!("simulated in 60 steps, {signal:.2} % of the variance at the horizon explained by the data");
    assert_eq!(note, whole);
}

/// Two wells, x from the data and y from its own law, each with its φ = 2z − 2z³: levels and covariances by the moments
/// of the Gaussians, in their places, and the part of the score that they make.
#[test]
fn each_equilibrium_score_has_its_own_place() {
    let start = (-0.3, 0.5);
    let [x, y] = [Expression::component(0, "x"), Expression::component(1, "y")];
    let well = |z: &Expression| z.combine(Operation::Subtract, &z.multiply(z).multiply(z));
    let [one, zero] = [1.0, 0.0].map(Expression::constant);
    let law = StartLaw { mean: Expression::constant(start.0), std: Expression::constant(start.1) };
    let definition = Definition {
        name: "two wells".into(),
        blocks: vec!["x".into(), "y".into()],
        coordinates: None,
        periodic: Vec::new(),
        parameters: [].into(),
        drift: vec![well(&x), well(&y)],
        noise: vec![vec![one.clone(), zero.clone()], vec![zero, one]],
        start: Start::Each(vec![None, Some(law)]),
    };
    let basis = measured_of(&Process::new(definition, 0.5).unwrap(), &gaussian());
    let Measured { level, balance, .. } = basis.measured();
    let value = |m: f64, v: f64| 2.0 * m - 2.0 * (m.powi(3) + 3.0 * m * v);
    let slope = |m: f64, v: f64| 2.0 - 6.0 * (m * m + v);
    let of_y = value(start.0, start.1 * start.1);
    for (found, exact) in level.iter().zip([value(MEANS[0], VARIANCE), value(MEANS[1], VARIANCE), of_y, of_y]) {
        assert!((found - exact).abs() < 0.05, "{level:?} {exact}");
    }
    // With x and y, of φ itself, and the mean slope.
    let data = MEANS.iter().map(|&m| slope(m, VARIANCE)).sum::<f64>() / 2.0;
    let own = slope(start.0, start.1 * start.1);
    for (place, exact) in [(0, VARIANCE * data), (1, 0.0), (3, data), (4, 0.0), (5, start.1 * start.1 * own), (7, own)]
    {
        assert!((balance[place] - exact).abs() < 0.05, "{place}: {balance:?} {exact}");
    }

    let part = Balance { weight: vec![0.5, 2.0], level: vec![1.0, 2.0, 3.0, 4.0], at: basis.equilibrium.at(0.1) };
    let (count, state) = (3, Vec::from_iter((0..12).map(|i| 0.1 * i as f32)));
    let mut score = vec![1.0; 12];
    Balancing::new(&basis.equilibrium, 2, count).add(&part, count, &state, &mut score);
    for (i, (found, z)) in score.iter().zip(&state).enumerate() {
        let row = i / count;
        let exact = 1.0 + part.weight[row / 2] * (f64::from(2.0 * z - 2.0 * z.powi(3)) - part.level[row]);
        assert!((f64::from(*found) - exact).abs() < 1e-5, "{i}: {found} {exact}");
    }
}
