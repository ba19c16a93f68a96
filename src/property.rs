//! Settings of property tests.

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};

/// What the random cases follow from where the environment names no `PROPTEST_RNG_SEED`: whoever runs the tests sees
/// what all others see.
const SEED: RngSeed = RngSeed::Fixed(20_241_107);

/// `count` random cases, and `TUMBLE_CASES` times as many where the environment says so. One that fails is kept beside
/// the source, in a file that ends in `.regressions`, and comes first from then on.
pub(crate) fn cases(count: u32) -> Config {
    let beside = FileFailurePersistence::WithSource("regressions");
    let usual = Config::default();
    let rng_seed = if usual.rng_seed == RngSeed::Random { SEED } else { usual.rng_seed };
    let times: u32 = std::env::var("TUMBLE_CASES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    Config {
        cases: count * times,
        max_global_rejects: usual.max_global_rejects * times,
        rng_seed,
        failure_persistence: Some(Box::new(beside)),
        ..usual
    }
}
