use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::*;
use crate::process::Linear;
use crate::process::fixtures::{self, Active};

const TREE: Model = Model { alphabet: 8, branching: 2, depth: 5, rules: 4 };

fn active() -> Process {
    Active { passive: 1e-3, persistence: 2.0, ..Active::default() }.process()
}

fn of(model: Model, count: usize) -> Hierarchy {
    Hierarchy { model, observe: None, count, seed: 4 }
}

fn seeing(observe: &[&str], request: Hierarchy) -> Hierarchy {
    Hierarchy { observe: Some(observe.iter().map(|&name| name.to_owned()).collect()), ..request }
}

fn found(process: &Process, times: &[f64], request: &Hierarchy) -> Vec<Accuracies> {
    hierarchy(process, times, request, &Task::default()).unwrap()
}

/// A leaf alone against the closed form of its accuracy, with the covariance inverted as it stands: 8 comparisons of
/// 200 trees of 64 leaves. All within 3 standard errors for 98 seeds of 100; the seed is fixed. Seen to fail with the
/// diagonal of the covariance of the evidence exchanged, and with noise that is drawn for the data alone.
#[test]
fn leaves_alone_have_the_accuracy_of_the_closed_form() {
    let model = Model { alphabet: 32, branching: 2, depth: 6, rules: 4 };
    let times = [0.7, 0.9, 1.2, 1.6];
    for observe in [&["x", "eta"][..], &["x"]] {
        for found in found(&active(), &times, &seeing(observe, of(model, 200))) {
            let kernel = active().kernel(found.time).unwrap();
            let size = observe.len();
            let inverse = kernel.covariance.view((0, 0), (size, size)).into_owned().try_inverse().unwrap();
            let response = kernel.transfer.view((0, 0), (size, 1)).into_owned();
            let distance = (response.transpose() * inverse * &response)[0].sqrt();
            let truth = orthogonal_accuracy(distance, 32);
            let Estimate { value, error } = found.leaf_alone;
            assert!(0.0 < error && error < 0.01, "{error}");
            assert!((value - truth).abs() < 3.0 * error, "{observe:?}, {}: {value} ± {error} for {truth}", found.time);
        }
    }
}

/// An exact posterior is as often right as it says: on each level the part that is guessed right and the mean of the
/// largest posterior differ by chance only. Together 12 comparisons over 300 trees within 3.5 standard errors, a false
/// alarm for one of 180 seeds; the seed is fixed. Seen to fail with rules weighted by their number, with the likelihood
/// of a node counted twice, and with the noise of the evidence 10 % too small.
#[test]
fn posteriors_are_calibrated() {
    let (task, stream) = (Task::default(), Stream::new(11, Purpose::Hierarchy));
    for time in [0.7, 1.5] {
        let evidence = Evidence::new(&active(), &[0, 1], time).unwrap();
        let mut excess = vec![Vec::new(); TREE.depth + 1];
        for tree in 0..300 {
            let (rules, symbols) = TREE.draw(&stream, tree);
            let mut messages = Messages::new(&TREE, &rules, &task);
            let noise = Noise { stream: stream.part(1).at(time), tree, together: 256 };
            noise.observe(&evidence, &TREE, &symbols, messages.leaves(), &task).unwrap();
            messages.ascend().unwrap();
            let mut sums = [0.0; TREE.depth + 1];
            let count = |level: usize, node: usize, weights: &[f64]| {
                let largest = weights.iter().copied().fold(0.0, f64::max) / weights.iter().sum::<f64>();
                sums[level] += guess(weights, symbols.at(level, node)) - largest;
            };
            messages.descend(count).unwrap();
            (0..=TREE.depth).for_each(|level| excess[level].push(sums[level] / TREE.nodes(level) as f64));
        }
        for (level, excess) in excess.iter().enumerate() {
            let Estimate { value, error } = Estimate::mean(excess);
            assert!(value.abs() < 3.5 * error, "{time}, level {level}: off by {value} ± {error}");
        }
    }
}

#[test]
fn the_tree_helps_and_noise_takes_all() {
    let times = [1e-3, 0.7, 1.0, 2.0, 20.0];
    let all = found(&active(), &times, &of(TREE, 100));
    for found in &all {
        let leaves = found.levels[TREE.depth];
        assert!(leaves.value >= found.leaf_alone.value - 1e-12, "{found:?}");
        assert_eq!(found.levels.len(), TREE.depth + 1);
    }
    let sure = Estimate { value: 1.0, error: 0.0 };
    assert!(all[0].leaf_alone == sure && all[0].levels.iter().all(|level| *level == sure), "{:?}", all[0]);
    let last = &all[4];
    // One standard error of a guess at the root of 100 trees is 0.033.
    assert!((last.leaf_alone.value - 0.125).abs() < 0.01 && (last.levels[0].value - 0.125).abs() < 0.1, "{last:?}");
    // Less is known at each later time, and by x alone.
    assert!(all.windows(2).all(|pair| pair[0].leaf_alone.value > pair[1].leaf_alone.value));
    let x = found(&active(), &times[1..4], &seeing(&["x"], of(TREE, 100)));
    assert!(x.iter().zip(&all[1..4]).all(|(x, all)| x.leaf_alone.value < all.leaf_alone.value), "{x:?}");
}

/// The active noise alone knows nothing of the data: all symbols are as probable, and a guess is one by chance.
#[test]
fn noise_alone_says_nothing() {
    let [found] = &found(&active(), &[0.5], &seeing(&["eta"], of(TREE, 20)))[..] else { panic!("one time") };
    assert_eq!((found.leaf_alone, found.levels[0]), (Estimate { value: 0.125, error: 0.0 }, found.leaf_alone));
}

/// With all right-hand sides in use, leaves are independent, and the tree tells nothing of them. Seen to fail with the
/// likelihood of a leaf itself in what it is told.
#[test]
fn a_full_grammar_is_no_help() {
    let model = Model { alphabet: 5, branching: 2, depth: 4, rules: 5 };
    for found in found(&active(), &[1.2, 1.8], &of(model, 30)) {
        assert!((found.levels[4].value - found.leaf_alone.value).abs() < 1e-12, "{found:?}");
        assert!(found.levels[0].value < found.levels[4].value, "{found:?}");
    }
}

/// What one tree shows does not depend on how many there are, or on the other times.
#[test]
fn trees_and_times_are_on_their_own() {
    let one = found(&active(), &[0.7], &of(TREE, 1));
    assert!(one[0].leaf_alone.error.is_nan());
    let value = |found: &[Accuracies]| found.iter().map(|at| at.levels[5].value).collect::<Vec<_>>();
    let two = found(&active(), &[1.2, 0.7], &of(TREE, 2));
    assert_eq!(value(&two)[1].to_bits(), value(&found(&active(), &[0.7], &of(TREE, 2)))[0].to_bits());
    assert_eq!((two[0].time, two[1].time), (1.2, 0.7));
}

#[test]
fn threads_leave_the_bits_alone() {
    let with = |threads| {
        let task = Task::new(Arc::default(), None, threads).unwrap();
        let found = hierarchy(&active(), &[0.7, 1.5], &of(TREE, 9), &task).unwrap();
        let numbers = found.iter().flat_map(|at| at.levels.iter().chain([&at.leaf_alone]));
        numbers.flat_map(|level| [level.value.to_bits(), level.error.to_bits()]).collect::<Vec<_>>()
    };
    assert!(with(1) == with(2) && with(1) == with(3));
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let refused = |process: &Process, times: &[f64], request: &Hierarchy| {
        let error = hierarchy(process, times, request, &Task::default()).unwrap_err();
        format!("{error}; {}", error.hint().unwrap_or_default())
    };
    let request = of(TREE, 2);
    assert_eq!(refused(&active(), &[], &request), "`times` is empty; give one or more: [0.5, 1]");
    assert_eq!(refused(&active(), &[1.0, 0.0], &request), "`times` must be above 0, got 0; ");
    assert_eq!(refused(&active(), &[1.0], &of(TREE, 0)), "`count` must be from 1 to 1_000_000_000, got 0; ");
    assert_eq!(
        refused(&active(), &[1.0], &seeing(&["x", "ete"], of(TREE, 2))),
        "`observe` holds \"ete\", which is not a block of the process `active`; did you mean `eta`?"
    );
    assert_eq!(refused(&active(), &[1.0], &seeing(&[], of(TREE, 2))), "`observe` is empty; name one of x, eta");
    // One Wiener source drives both blocks alike.
    let linear = Linear {
        drift: DMatrix::from_diagonal_element(2, 2, -1.0),
        offset: DVector::zeros(2),
        noise: DMatrix::from_row_slice(2, 1, &[1.0, 2.0]),
        start_mean: DVector::zeros(2),
        start_factor: DMatrix::zeros(2, 2),
    };
    let twice = Process::from_linear("twice", &["x", "y"], linear, 1.0).unwrap();
    assert_eq!(
        refused(&twice, &[0.5], &request),
        "process `twice`: given the data and x, y has no noise of its own: its law has no density; let noise reach y, \
         or observe other blocks"
    );
    assert!(hierarchy(&twice, &[0.5], &seeing(&["y"], request), &Task::default()).is_ok());
    let narrow = Task::default().with_host(crate::Host::default().with_memory_limit(1e6));
    let error = hierarchy(&fixtures::passive(), &[1.0], &of(Model { depth: 20, ..TREE }, 2), &narrow).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("`depth` of 20, for 2^20 leaves of 8 symbols, would take"), "{text}");
}
