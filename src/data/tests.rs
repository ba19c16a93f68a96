//! Draws, and what users are told of data.

use super::*;

fn all() -> [Dataset; 3] {
    let values = (0..30).map(|v| v as f32).collect();
    [
        Dataset::diamond(0.5, 0.04).unwrap(),
        Dataset::swiss_rolls(),
        Dataset::from_points("points", &Tensor::new(&[15, 2], values).unwrap()).unwrap(),
    ]
}

#[test]
fn a_short_sample_begins_a_long_one() {
    let task = Task::default();
    for data in all() {
        let long = data.sample(3000, 7, &task).unwrap();
        for count in [1, 100, 256, 257, 1500] {
            assert_eq!(
                data.sample(count, 7, &task).unwrap().values()[..],
                long.values()[..2 * count],
                "{}",
                data.name()
            );
        }
        assert_ne!(data.sample(3000, 8, &task).unwrap(), long);
    }
}

#[test]
fn impossible_counts_are_refused() {
    let (data, task) = (Dataset::swiss_rolls(), Task::default());
    assert!(data.sample(0, 1, &task).unwrap_err().to_string().contains("at least 1"));
    let problem = data.sample(usize::MAX, 1, &task).unwrap_err().to_string();
    assert!(problem.contains("128.0 EiB"), "{problem}");
}

#[test]
fn what_the_prompt_shows() {
    let [diamond, rolls, points] = all().map(|data| data.to_string());
    assert_eq!(diamond, "diamond: mixture of 9 Gaussians, datum of shape [2], variance 0.16827");
    assert_eq!(rolls, "swiss_rolls: five Swiss rolls, datum of shape [2], variance 0.51661");
    assert_eq!(points, "points: 15 points, datum of shape [2], variance 74.667");
}

/// The first draws, pinned: a change here changes every published figure.
#[test]
fn seeds_keep_their_meaning() {
    let [diamond, rolls, points] = all().map(|data| data.sample(2, 1, &Task::default()).unwrap().values().into_owned());
    assert_eq!(diamond, [-0.28562814, -0.39448485, -0.4027487, 0.36724672]);
    assert_eq!(rolls, [0.10717861, 0.0801009, 0.823578, -0.6622729]);
    assert_eq!(points, [4.0, 5.0, 16.0, 17.0]);
}
