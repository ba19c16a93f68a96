//! How much memory the program holds, counted where it is taken.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

/// The allocator of the system, which counts. A program that names it its global allocator can limit its memory as a
/// whole, and stop scripts whose values grow before the system does:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: tumble::host::CountingAllocator = tumble::host::CountingAllocator;
/// ```
pub struct CountingAllocator;

/// Bytes that all threads have told of.
static HELD: AtomicIsize = AtomicIsize::new(0);

/// Changes that a thread keeps to itself.
const UNTOLD: usize = 1 << 16;
/// A piece of memory below this is small: such are the values of scripts, as they nest, and not tensors.
const SMALL: usize = 1 << 20;
/// A piece from this on is large.
const LARGE: usize = 1 << 26;

/// What a thread knows of its own memory.
struct Own {
    /// Bytes of small pieces taken less those given back.
    small: Cell<isize>,
    /// As many of them as others were told of.
    told: Cell<isize>,
    /// The largest piece that was taken since somebody asked, where it is large.
    largest: Cell<usize>,
}

thread_local! {
    static OWN: Own = const { Own { small: Cell::new(0), told: Cell::new(0), largest: Cell::new(0) } };
}

/// Counts a piece that is taken or given back, and a small one quickly: programs take millions of these.
#[inline(always)]
fn count(taken: usize, given: usize) {
    // A power of two, so that this asks for either.
    if taken | given >= SMALL {
        return count_large(taken, given);
    }
    // At its end a thread may have no memory of its own any more.
    let _ = OWN.try_with(|own| own.add(taken as isize - given as isize));
}

#[cold]
#[inline(never)]
fn count_large(taken: usize, given: usize) {
    let [taken_small, given_small] = [taken, given].map(|bytes| if bytes < SMALL { bytes as isize } else { 0 });
    let change = (taken as isize - taken_small) - (given as isize - given_small);
    HELD.fetch_add(change, Ordering::Relaxed);
    let _ = OWN.try_with(|own| {
        own.add(taken_small - given_small);
        if taken >= LARGE {
            own.largest.set(own.largest.get().max(taken));
        }
    });
}

impl Own {
    #[inline(always)]
    fn add(&self, change: isize) {
        let small = self.small.get() + change;
        self.small.set(small);
        if (small - self.told.get()).unsigned_abs() >= UNTOLD {
            self.tell();
        }
    }

    #[cold]
    #[inline(never)]
    fn tell(&self) {
        let small = self.small.get();
        HELD.fetch_add(small - self.told.replace(small), Ordering::Relaxed);
    }
}

// SAFETY: everything is left to the allocator of the system.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.realloc(place, layout, size) }
    }
}

/// Bytes that the program holds, to some 64 KiB a thread; 0 where nobody counts.
pub(super) fn held() -> f64 {
    HELD.load(Ordering::Relaxed).max(0) as f64
}

/// Bytes of small pieces that this thread took less those that it gave back; 0 where nobody counts.
pub(super) fn small() -> isize {
    OWN.with(|own| own.small.get())
}

/// Whether this thread holds more than `most` bytes in small pieces, or took a large one that nobody asked for yet.
#[inline]
pub(super) fn has_grown(most: isize) -> bool {
    OWN.with(|own| own.small.get() > most || own.largest.get() > 0)
}

/// The largest piece that this thread took since this was asked before, where it is large; else 0.
pub(super) fn take_largest() -> f64 {
    OWN.with(|own| own.largest.take()) as f64
}
