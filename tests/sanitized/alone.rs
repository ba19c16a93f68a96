//! The files of the program whose `unsafe` touches memory. They need nothing else of it, so that they can be compiled
//! alone, in seconds, by a nightly compiler with a sanitizer: see `scripts/check.sh`.

#[path = "../../src/host/allocation.rs"]
mod allocation;
#[path = "../../src/task/team.rs"]
mod team;

#[global_allocator]
static ALLOCATOR: allocation::CountingAllocator = allocation::CountingAllocator;

/// Seen to fail with the bytes that are given back counted twice.
#[test]
fn memory_is_counted_where_it_is_taken() {
    let before = allocation::held();
    let many: Vec<Vec<u8>> = (0..1000).map(|i| vec![1; 1 << (i % 14)]).collect();
    let held = allocation::held() - before;
    let total: usize = many.iter().map(Vec::len).sum();
    assert!((held - total as f64).abs() < 2e5, "{held} of {total}");
    std::thread::spawn(move || drop(many)).join().unwrap();
    assert!((allocation::held() - before).abs() < 2e5);
    assert!(allocation::small().abs() < 2e6 && allocation::take_largest() == 0.0);
}
