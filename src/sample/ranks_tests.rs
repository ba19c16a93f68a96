//! Samples that several ranks draw are those of one.

use super::tests::by;
use super::*;
use crate::data::Dataset;
use crate::process::PriorLaw;
use crate::process::fixtures::{Active, passive};
use crate::ranks::together;
use crate::score::Exact;
use crate::task::Task;

/// Nine blocks and three groups of adaptive steps, the last of each not full. Seen to fail with blocks that are
/// numbered anew on each rank, and with shares that stay where they are.
#[test]
fn ranks_change_no_bit() {
    let process = Active::default().process();
    let data = Dataset::diamond(0.5, 0.04).unwrap();
    let score = Exact::new(&process, &data).unwrap();
    let keep = Keep::Times(vec![1.0, 0.2]);
    for method in [by(EulerMaruyama), by(RungeKutta::default())] {
        let options = Options { method, steps: 7, seed: 2, keep: keep.clone(), ..Options::by(EulerMaruyama) };
        let run = |task: &Task| sample(&score, 2100, PriorLaw::Matched, &options, task).unwrap();
        let alone = run(&Task::default());
        for count in [2, 4] {
            let all = together(count, |ranks| run(&Task::of_rank(ranks)));
            assert!(all.iter().all(|state| *state == alone), "{count} ranks, {options}");
        }
    }
}

/// More ranks than there are blocks, and two groups of likelihoods.
#[test]
fn what_is_known_of_states_is_that_of_one_rank() {
    let (process, data) = (passive(), Dataset::diamond(0.5, 0.04).unwrap());
    let score = Exact::new(&process, &data).unwrap();
    let run = |task: &Task| {
        let x = data.sample(1100, 3, task).unwrap();
        let states = perturb(&process, &x, 0.3, 4, task).unwrap();
        let scores = score_at(&score, &states, 0.3, task).unwrap();
        let options = Likelihood { rtol: 0.3, atol: 0.3, ..Likelihood::default() };
        (log_likelihood(&score, &x, &options, task).unwrap(), scores, states)
    };
    let alone = run(&Task::default());
    for other in together(7, |ranks| run(&Task::of_rank(ranks))) {
        assert!(other == alone);
    }
}
