//! All toy sets against what they say of themselves. Seeds are fixed, so a test that passes goes on passing.

use super::*;
use crate::data::Dataset;
use crate::task::Task;

fn all() -> Vec<Dataset> {
    let pinwheel = |rate| Pinwheel { arms: 5, radial: 0.3, tangential: 0.1, rate };
    [
        Dataset::from_toy(Checkerboard { squares: 4 }),
        Dataset::from_toy(Checkerboard { squares: 3 }),
        Dataset::from_toy(Moons { std: 0.05 }),
        Dataset::from_toy(pinwheel(0.25)),
        Dataset::from_toy(pinwheel(-1.0)),
        Dataset::from_toy(Rings { rings: 3, std: 0.03 }),
        Dataset::from_toy(Spirals { arms: 2, turns: 1.5, std: 0.02 }),
        Dataset::from_toy(Spirals { arms: 2, turns: 0.3, std: 0.02 }),
        Dataset::from_toy(Spirals { arms: 5, turns: 0.3, std: 0.02 }),
    ]
    .into_iter()
    .collect::<crate::Result<_>>()
    .unwrap()
}

/// Means, variances and covariance of 2²⁰ draws of each set: 45 bounds at 5.5 standard errors, a false alarm once in
/// 6·10⁵ seeds.
#[test]
fn moments_are_those_of_the_draws() {
    let count = 1 << 20;
    for data in all() {
        let sample = data.sample(count, 3, &Task::default()).unwrap();
        let truth = data.moments();
        let covariance = |a: usize, b: usize| match &truth.axes {
            None if a == b => truth.variances[a],
            None => 0.0,
            Some(axes) => (0..2).map(|k| axes[(a, k)] * axes[(b, k)] * truth.variances[k]).sum(),
        };
        let close = |values: Vec<f64>, truth: f64| {
            let mean = values.iter().sum::<f64>() / count as f64;
            let error = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>().sqrt() / count as f64;
            assert!((mean - truth).abs() < 5.5 * error, "{data}: {mean} ± {error} for {truth}");
        };
        let deviation = |i: usize, c: usize| f64::from(sample.values()[2 * i + c]) - truth.mean[c];
        let deviations: Vec<_> = (0..count).map(|i| [deviation(i, 0), deviation(i, 1)]).collect();
        for a in 0..2 {
            close(deviations.iter().map(|x| x[a]).collect(), 0.0);
            for b in a..2 {
                close(deviations.iter().map(|x| x[a] * x[b]).collect(), covariance(a, b));
            }
        }
    }
}

/// Where the data of each class are, by the geometry of the sets.
#[test]
fn classes_are_where_they_should_be() {
    let task = Task::default();
    let points = |data: &Dataset, class: &str| -> Vec<[f64; 2]> {
        let part = data.labelled(20_000, 5, &task).unwrap().of_class(class, &task).unwrap();
        part.points().unwrap().values().as_chunks::<2>().0.iter().map(|p| p.map(f64::from)).collect()
    };
    let moons = Dataset::from_toy(Moons { std: 0.0 }).unwrap();
    assert_eq!(moons.classes(), ["0", "1"]);
    assert!(points(&moons, "0").iter().all(|[x, y]| (x.hypot(*y) - 1.0).abs() < 1e-5 && *y > -1e-5));
    assert!(points(&moons, "1").iter().all(|[x, y]| ((x - 1.0).hypot(y - 0.5) - 1.0).abs() < 1e-5 && *y < 0.5 + 1e-5));
    let rings = Dataset::from_toy(Rings { rings: 4, std: 0.0 }).unwrap();
    assert!(points(&rings, "2").iter().all(|[x, y]| (x.hypot(*y) - 0.75).abs() < 1e-5));
    let spirals = Dataset::from_toy(Spirals { arms: 3, turns: 0.25, std: 0.0 }).unwrap();
    let turns = |[x, y]: [f64; 2]| y.atan2(x).rem_euclid(std::f64::consts::TAU) / std::f64::consts::TAU;
    assert!(
        points(&spirals, "1").iter().all(|p| (turns(*p) - 0.25 * p[0].hypot(p[1]) - 1.0 / 3.0).abs() < 1e-3),
        "an arm leaves in its direction and turns by a quarter"
    );
    let straight = Dataset::from_toy(Pinwheel { arms: 4, radial: 0.1, tangential: 0.0, rate: 0.0 }).unwrap();
    assert!(points(&straight, "3").iter().all(|[x, y]| x.abs() < 1e-5 && *y > 0.2));
    let board = Dataset::from_toy(Checkerboard { squares: 5 }).unwrap();
    assert!(board.classes().is_empty());
    let sample = board.sample(20_000, 1, &task).unwrap();
    let mut seen = [0; 25];
    for [x, y] in sample.values().as_chunks::<2>().0 {
        seen[(x + 2.5) as usize + 5 * (y + 2.5) as usize] += 1;
    }
    // 13 squares of 1538 each, within 5 standard errors.
    assert!((0..25).all(|square| if square % 2 == 0 {
        i32::abs(seen[square] - 1538) < 190
    } else {
        seen[square] == 0
    }));
}

#[test]
fn what_no_set_has_is_refused() {
    let refusal = |result: crate::Result<Dataset>| result.unwrap_err().to_string();
    assert_eq!(refusal(Dataset::from_toy(Moons { std: -0.1 })), "`std` must be from 0 to 1000, got -0.1");
    let spirals = Spirals { arms: 1, turns: 1.0, std: 0.0 };
    assert_eq!(refusal(Dataset::from_toy(spirals)), "`arms` must be from 2 to 1000, got 1");
}
