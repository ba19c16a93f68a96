//! What the noised leaves say of every symbol of a tree: the evidence of a leaf, and belief propagation.

use nalgebra::DVector;

use super::model::{Model, Rules};
use crate::error::{Error, Result};
use crate::gauss::{reorder, solve_lower, solve_lower_matrix};
use crate::process::{Kernel, Process};
use crate::task::Task;

/// A component that keeps less than this part of its variance, given the datum and the components before it, has no
/// noise of its own: what its factor then holds is rounding.
const SINGULAR: f64 = 1e-20;

/// How what is observed of a coordinate that started at 1 differs from that of one that started at 0.
///
/// With the response m and the covariance Σ = L Lᵀ of the observed blocks of the kernel, the log likelihood of symbol a
/// is mᵀΣ⁻¹z_a up to terms that all symbols share; drawn as z_a = m δ + L ε it is d² δ + w·ε, with d² = mᵀΣ⁻¹m and
/// δ = 1 for the true symbol. Both are formed from L⁻¹m, so that nothing is lost where blocks almost determine each
/// other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evidence {
    /// d².
    pub(super) squared_distance: f64,
    /// w, for the noise ε of all components, in declared order.
    pub(super) weights: Vec<f64>,
}

impl Evidence {
    /// That of the `observed` blocks at `time`.
    ///
    /// # Errors
    /// When the process has no kernel there, or the law of what is observed has no density.
    pub(super) fn new(process: &Process, observed: &[usize], time: f64) -> Result<Self> {
        let kernel = process.kernel(time)?;
        let factor = reorder(&kernel.cholesky, observed);
        if factor.diagonal().iter().any(|&pivot| pivot <= 0.0) {
            let problem = format!("the law of what is observed at t = {time} has no density");
            return Err(Error::numerical(problem).with_hint("take later times"));
        }
        let response = kernel.response().column(0).select_rows(observed);
        let white = solve_lower(&factor, &DVector::from_column_slice(response.as_slice()));
        let noise = solve_lower_matrix(&factor, &kernel.cholesky.select_rows(observed));
        let squared_distance = white.norm_squared();
        if !squared_distance.is_finite() {
            let problem = format!("the noise at t = {time} is too weak for double precision");
            return Err(Error::numerical(problem).with_hint("take later times"));
        }
        Ok(Self { squared_distance, weights: (noise.transpose() * white).as_slice().to_vec() })
    }
}

/// Refuses observed blocks that the datum and other observed ones determine.
///
/// # Errors
/// Names the block.
pub(super) fn require_density(process: &Process, observed: &[usize]) -> Result<()> {
    let Kernel { cholesky, covariance, .. } = process.kernel(process.horizon())?;
    let factor = reorder(&cholesky, observed);
    let is_bound = |&i: &usize| factor[(i, i)].powi(2) <= SINGULAR * covariance[(observed[i], observed[i])];
    let Some(bound) = (0..observed.len()).find(is_bound) else { return Ok(()) };
    let names = process.blocks();
    let before: String = observed[..bound].iter().map(|&block| format!(" and {}", names[block])).collect();
    let name = &names[observed[bound]];
    let problem = format!("given the data{before}, {name} has no noise of its own: its law has no density");
    Err(Error::process(process.name(), problem).with_hint(format!("let noise reach {name}, or observe other blocks")))
}

/// Messages of belief propagation on one tree, each scaled so that its largest entry is 1.
///
/// They need no logarithms: the true symbol falls behind another one by a factor e^K with a probability below e^−K, so
/// its message cannot leave double precision.
pub(super) struct Messages<'a> {
    model: &'a Model,
    rules: &'a Rules,
    task: &'a Task,
    /// Likelihood of each symbol by the leaves below a node: by level, [nodes, symbols].
    up: Vec<Vec<f64>>,
}

impl<'a> Messages<'a> {
    pub(super) fn new(model: &'a Model, rules: &'a Rules, task: &'a Task) -> Self {
        let up = (0..=model.depth).map(|level| vec![0.0; model.nodes(level) * model.alphabet]).collect();
        Self { model, rules, task, up }
    }

    /// Bytes that the messages take.
    pub(super) fn bytes(model: &Model) -> f64 {
        let [v, s] = [model.alphabet, model.branching].map(|size| size as f64);
        let leaves = s.powi(model.depth as i32);
        // Up at all levels, down at two.
        8.0 * v * leaves * (s / (s - 1.0) + 1.0 + 1.0 / s)
    }

    /// The likelihoods at the leaves, [leaves, symbols], to be filled before anything is asked.
    pub(super) fn leaves(&mut self) -> &mut [f64] {
        &mut self.up[self.model.depth]
    }

    /// Carries the likelihoods from the leaves to the root.
    ///
    /// # Errors
    /// On interruption.
    pub(super) fn ascend(&mut self) -> Result<()> {
        let Self { model, rules, .. } = *self;
        for level in (0..model.depth).rev() {
            let (above, below) = self.up.split_at_mut(level + 1);
            let parents = above[level].chunks_exact_mut(model.alphabet);
            for (parent, children) in parents.zip(below[0].chunks_exact(model.branching * model.alphabet)) {
                self.task.check()?;
                for (symbol, likelihood) in parent.iter_mut().enumerate() {
                    let of_rule = |places: &[u32]| places.iter().map(|&at| children[at as usize]).product::<f64>();
                    *likelihood = rules.of(level, symbol, model).map(of_rule).sum();
                }
                scale(parent);
            }
        }
        Ok(())
    }

    /// Carries what all other leaves say from the root to the leaves, and hands the posterior of each node to `visit`
    /// with its level and number: weights of its symbols, not normalised.
    ///
    /// # Errors
    /// On interruption.
    pub(super) fn descend(&self, mut visit: impl FnMut(usize, usize, &[f64])) -> Result<()> {
        let Self { model, rules, .. } = *self;
        let (alphabet, width) = (model.alphabet, model.branching * model.alphabet);
        let mut posterior = vec![0.0; alphabet];
        let mut partial = vec![0.0; model.branching];
        let mut down = vec![1.0; alphabet];
        for level in 0..=model.depth {
            let messages = down.chunks_exact(alphabet).zip(self.up[level].chunks_exact(alphabet));
            for (node, (down, up)) in messages.enumerate() {
                posterior.iter_mut().zip(down.iter().zip(up)).for_each(|(both, (down, up))| *both = down * up);
                visit(level, node, &posterior);
            }
            if level == model.depth {
                break;
            }
            let mut next = vec![0.0; model.nodes(level + 1) * alphabet];
            let up = self.up[level + 1].chunks_exact(width);
            for ((parent, up), next) in down.chunks_exact(alphabet).zip(up).zip(next.chunks_exact_mut(width)) {
                self.task.check()?;
                for (symbol, &weight) in parent.iter().enumerate() {
                    rules.of(level, symbol, model).for_each(|places| give(weight, places, up, &mut partial, next));
                }
                next.chunks_exact_mut(alphabet).for_each(scale);
            }
            down = next;
        }
        Ok(())
    }
}

/// Gives each child the `weight` of a rule times the likelihoods of the other children, [children]: without division,
/// by products from both ends.
fn give(weight: f64, places: &[u32], up: &[f64], partial: &mut [f64], next: &mut [f64]) {
    let mut before = weight;
    for (partial, &place) in partial.iter_mut().zip(places) {
        *partial = before;
        before *= up[place as usize];
    }
    let mut behind = 1.0;
    for (partial, &place) in partial.iter().zip(places).rev() {
        next[place as usize] += partial * behind;
        behind *= up[place as usize];
    }
}

fn scale(message: &mut [f64]) {
    let largest = message.iter().copied().fold(0.0, f64::max);
    assert!(largest > 0.0, "a message left the range of double precision");
    message.iter_mut().for_each(|entry| *entry /= largest);
}

/// The probability of finding which of `symbols` orthogonal signals was sent, P = ∫ φ(u − d) Φ(u)^{v−1} du: each of v
/// coordinates has white noise of variance 1 besides the signal, and the true one is `distance` d from where it would
/// be without. With d² = mᵀΣ⁻¹m it is the Bayes accuracy of a one-hot symbol that was noised by a linear process, of
/// response m and covariance Σ of what is observed. Exact to 14 digits.
///
/// Source: Proakis, "Digital Communications", on the detection of orthogonal signals.
///
/// # Panics
/// When `distance` is negative or not a number, or there are no symbols.
#[must_use]
pub fn orthogonal_accuracy(distance: f64, symbols: usize) -> f64 {
    assert!(distance >= 0.0 && symbols > 0, "no accuracy of {symbols} symbols at distance {distance}");
    // Equal steps converge faster than any power of the step for what falls as a Gaussian on both sides.
    const STEP: f64 = 1.0 / 32.0;
    const REACH: i32 = 9 * 32;
    let others = symbols as f64 - 1.0;
    let term = |step: i32| {
        let noise = f64::from(step) * STEP;
        density(noise) * (others * log_cumulative(distance + noise)).exp()
    };
    (STEP * (-REACH..=REACH).map(term).sum::<f64>()).min(1.0)
}

/// φ(u), the standard normal density.
fn density(u: f64) -> f64 {
    (-0.5 * u * u).exp() / std::f64::consts::TAU.sqrt()
}

/// ln Φ(u), with the digits of the smaller of Φ and 1 − Φ.
fn log_cumulative(u: f64) -> f64 {
    let tail = upper_tail(u.abs());
    if u < 0.0 { tail.ln() } else { (-tail).ln_1p() }
}

/// 1 − Φ(u) for u ≥ 0: by Φ = ½ + φ (u + u³/3 + u⁵/15 + ..) near 0 (Marsaglia, J. Stat. Softw. 11, 2004), and by
/// Laplace's continued fraction φ/(u + 1/(u + 2/(u + ..))) beyond.
fn upper_tail(u: f64) -> f64 {
    if u < 2.0 {
        let (mut term, mut sum, mut odd) = (u, u, 1.0);
        while term > f64::EPSILON * sum {
            odd += 2.0;
            term *= u * u / odd;
            sum += term;
        }
        return 0.5 - density(u) * sum;
    }
    // At u = 2 this many levels leave 1e-16.
    let fraction = (1..=120).rev().fold(u, |below, level| u + f64::from(level) / below);
    density(u) / fraction
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;
    use crate::process::Linear;
    use crate::process::fixtures::Active;
    use crate::rng::{Purpose, Stream};

    fn active() -> Process {
        Active { passive: 1e-3, persistence: 2.0, ..Active::default() }.process()
    }

    fn passive(temperature: f64) -> Process {
        let linear = Linear {
            drift: DMatrix::from_element(1, 1, -1.0),
            offset: DVector::zeros(1),
            noise: DMatrix::from_element(1, 1, f64::sqrt(2.0 * temperature)),
            start_mean: DVector::zeros(1),
            start_factor: DMatrix::zeros(1, 1),
        };
        Process::from_linear("passive", &["x"], linear, 2.0).unwrap()
    }

    /// Damped velocities that drive the data.
    fn langevin() -> Process {
        let linear = Linear {
            drift: DMatrix::from_row_slice(2, 2, &[0.0, 16.0, -4.0, -16.0]),
            offset: DVector::zeros(2),
            noise: DMatrix::from_diagonal(&DVector::from_vec(vec![0.0, f64::sqrt(8.0)])),
            start_mean: DVector::from_vec(vec![0.0, 0.4]),
            start_factor: DMatrix::from_diagonal(&DVector::from_vec(vec![0.0, 0.1])),
        };
        Process::from_linear("cld", &["x", "v"], linear, 2.0).unwrap()
    }

    fn uniforms(count: usize, seed: u64) -> Vec<f64> {
        let mut numbers = vec![0.0; count];
        Stream::new(seed, Purpose::Script).uniforms(0, 0, &mut numbers);
        numbers.into_iter().map(|number: f32| f64::from(number) + 1e-3).collect()
    }

    /// The posteriors of all nodes, [level][node][symbol], each with sum 1, by belief propagation.
    fn propagated(model: &Model, rules: &Rules, leaves: &[f64]) -> Vec<Vec<Vec<f64>>> {
        let task = Task::default();
        let mut messages = Messages::new(model, rules, &task);
        messages.leaves().copy_from_slice(leaves);
        messages.ascend().unwrap();
        let mut found: Vec<Vec<Vec<f64>>> = vec![Vec::new(); model.depth + 1];
        messages.descend(|level, _, weights| found[level].push(normalised(weights))).unwrap();
        found
    }

    fn normalised(weights: &[f64]) -> Vec<f64> {
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect()
    }

    /// The same by the list of all trees.
    fn enumerated(model: &Model, rules: &Rules, leaves: &[f64]) -> Vec<Vec<Vec<f64>>> {
        let alphabet = model.alphabet;
        let mut found: Vec<Vec<Vec<f64>>> =
            (0..=model.depth).map(|level| vec![vec![0.0; alphabet]; model.nodes(level)]).collect();
        let mut open: Vec<Vec<Vec<usize>>> = (0..alphabet).map(|root| vec![vec![root]]).collect();
        while let Some(tree) = open.pop() {
            let level = tree.len() - 1;
            if level == model.depth {
                let weight: f64 = (0..).zip(&tree[level]).map(|(leaf, &a)| leaves[leaf * alphabet + a]).product();
                for (found, symbols) in found.iter_mut().zip(&tree) {
                    found.iter_mut().zip(symbols).for_each(|(node, &symbol)| node[symbol] += weight);
                }
                continue;
            }
            let mut rows = vec![Vec::new()];
            for &symbol in &tree[level] {
                let grow = |row: &Vec<usize>| {
                    let row = row.clone();
                    rules
                        .of(level, symbol, model)
                        .map(move |places| {
                            row.iter().copied().chain(places.iter().map(|&at| at as usize % alphabet)).collect()
                        })
                        .collect::<Vec<Vec<usize>>>()
                };
                rows = rows.iter().flat_map(grow).collect();
            }
            open.extend(rows.into_iter().map(|row| [tree.clone(), vec![row]].concat()));
        }
        found.iter().map(|level| level.iter().map(|weights| normalised(weights)).collect()).collect()
    }

    /// Seen to fail with the likelihood of the child itself in what it is told, with products of two children only, and
    /// with the rules of the level below.
    #[test]
    fn propagation_is_enumeration() {
        for (alphabet, branching, depth, rules) in
            [(3, 2, 2, 2), (3, 2, 2, 3), (2, 3, 2, 2), (4, 2, 2, 1), (2, 2, 3, 1)]
        {
            let model = Model { alphabet, branching, depth, rules };
            let (rules, _) = model.draw(&Stream::new(5, Purpose::Hierarchy), 2);
            let leaves = uniforms(model.nodes(depth) * alphabet, 7);
            let (found, truth) = (propagated(&model, &rules, &leaves), enumerated(&model, &rules, &leaves));
            for (found, truth) in found.iter().flatten().flatten().zip(truth.iter().flatten().flatten()) {
                assert!((found - truth).abs() < 1e-13, "{model:?}: {found} for {truth}");
            }
        }
    }

    /// The statistic is mᵀΣ⁻¹z, with the inverse of the covariance. Seen to fail with two entries of the response or of
    /// the diagonal of the covariance exchanged.
    #[test]
    fn evidence_is_that_of_the_kernel() {
        let cases: [(Process, &[usize]); 5] =
            [(active(), &[0, 1]), (active(), &[0]), (active(), &[1]), (passive(0.3), &[0]), (langevin(), &[1])];
        for (process, observed) in cases {
            for time in [0.05, 0.4, 0.7] {
                let evidence = Evidence::new(&process, observed, time).unwrap();
                let kernel = process.kernel(time).unwrap();
                let size = observed.len();
                let covariance = DMatrix::from_fn(size, size, |i, j| kernel.covariance[(observed[i], observed[j])]);
                let inverse = covariance.try_inverse().unwrap();
                let response = DVector::from_fn(size, |i, _| kernel.transfer[(observed[i], 0)]);
                let distance = (response.transpose() * &inverse * &response)[0];
                assert!((evidence.squared_distance - distance).abs() <= 1e-10 * distance, "{evidence:?}, {distance}");
                let noise = DVector::from_fn(kernel.offset.len(), |i, _| 0.3 - 1.1 * i as f64);
                for is_true in [0.0, 1.0] {
                    let state = kernel.response().column(0) * is_true + &kernel.cholesky * &noise;
                    let truth = (response.transpose() * &inverse * state.select_rows(observed))[0];
                    let found = is_true * evidence.squared_distance
                        + evidence.weights.iter().zip(&noise).map(|(weight, noise)| weight * noise).sum::<f64>();
                    assert!((found - truth).abs() <= 1e-9 * (1.0 + truth.abs()), "{found} for {truth}");
                }
            }
        }
    }

    /// The accuracies of a leaf alone from both blocks, from x, and under passive noise of the same temperature, with
    /// the covariance integrated from its equation by Runge–Kutta and Φ by the error function of Python.
    #[test]
    fn known_accuracies_of_a_leaf() {
        let accuracy = |process: &Process, observed: &[usize]| {
            let evidence = Evidence::new(process, observed, 0.7).unwrap();
            orthogonal_accuracy(evidence.squared_distance.sqrt(), 32)
        };
        let cases = [
            (accuracy(&active(), &[0, 1]), 0.900_774_713_6),
            (accuracy(&active(), &[0]), 0.301_116_709_9),
            (accuracy(&passive(1e-3 + 1.0 / 3.0), &[0]), 0.169_132_433_8),
        ];
        for (found, known) in cases {
            assert!((found - known).abs() < 1e-9, "{found} for {known}");
        }
    }

    #[test]
    fn tails_of_the_normal_law() {
        let known = [
            (0.0, 0.5),
            (1.0, 0.158_655_253_931_457_05),
            (2.0, 0.022_750_131_948_179_207),
            (5.0, 2.866_515_718_791_939_4e-7),
            (10.0, 7.619_853_024_160_527e-24),
        ];
        for (u, tail) in known {
            assert!((upper_tail(u) / tail - 1.0).abs() < 1e-13, "{u}: {} for {tail}", upper_tail(u));
        }
        assert!((upper_tail(2.0 - 1e-15) / upper_tail(2.0) - 1.0).abs() < 1e-13);
    }

    /// Two symbols have P = Φ(d/√2), no signal has 1/v, and the others are held against sums of a million terms, in
    /// which Φ is a sum itself. Seen to fail with v in the place of v − 1, and with the signal on the others.
    #[test]
    fn accuracy_of_orthogonal_signals() {
        for distance in [0.0, 0.3, 1.0, 4.0, 12.0] {
            let truth = 1.0 - upper_tail(distance / std::f64::consts::SQRT_2);
            assert!((orthogonal_accuracy(distance, 2) - truth).abs() < 1e-14, "{distance}");
            assert!((orthogonal_accuracy(distance, 1) - 1.0).abs() < 1e-14, "{distance}");
        }
        for symbols in [3, 32, 1000, 1_000_000] {
            let chance = orthogonal_accuracy(0.0, symbols) * symbols as f64;
            assert!((chance - 1.0).abs() < 1e-11, "{symbols}: {chance}");
        }
        const STEP: f64 = 2.4e-5;
        for (distance, symbols) in [(0.5, 3), (1.7, 32), (3.5, 1000), (6.0, 32)] {
            let (mut cumulative, mut sum) = (0.0, 0.0);
            for step in 0..1_000_000 {
                let u = f64::from(step) * STEP - 10.0;
                let half = 0.5 * STEP * density(u);
                cumulative += half;
                sum += STEP * density(u - distance) * f64::powi(cumulative, symbols - 1);
                cumulative += half;
            }
            let found = orthogonal_accuracy(distance, symbols as usize);
            assert!((found - sum).abs() < 1e-9, "{distance}, {symbols}: {found} for {sum}");
        }
        assert!((orthogonal_accuracy(f64::INFINITY, 32) - 1.0).abs() < 1e-14);
    }
}
