//! Settings of property tests.

use proptest::test_runner::{Config, FileFailurePersistence};

/// `count` random cases. One that fails is kept beside the source, in a file that ends in `.regressions`, and comes
/// first from then on.
pub(crate) fn cases(count: u32) -> Config {
    let beside = FileFailurePersistence::WithSource("regressions");
    Config { cases: count, failure_persistence: Some(Box::new(beside)), ..Config::default() }
}
