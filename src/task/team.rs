//! Threads for work in many short rounds: they wait awake, so that a round of a tenth of a millisecond is not spent on
//! waking them (measured: a training step of 1.5 ms on one thread took 1.15 ms on two that slept between its rounds).

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Threads that do rounds of work together; lent by [`Task::team`](super::Task::team).
pub struct Team<'a>(&'a Shared);

impl Team<'_> {
    /// Runs `work` with a team of `threads` threads, the calling one among them, for rounds of up to `most` items.
    pub(super) fn scope<R>(threads: usize, most: usize, work: impl FnOnce(&mut Team<'_>) -> R) -> R {
        let shared = Shared::new(threads.clamp(1, most.max(1)) - 1, most);
        std::thread::scope(|scope| {
            // Before the scope waits for the helpers, even if `work` panics.
            let _stop = OnDrop(|| shared.stop.store(true, Ordering::Relaxed));
            for number in 1..=shared.helpers {
                let shared = &shared;
                scope.spawn(move || shared.help(number));
            }
            work(&mut Team(&shared))
        })
    }

    /// Runs `work(i, item)` for every item and returns when all are done.
    ///
    /// A thread takes the same items every time, whose memory it has in its cache, and then what others are late with.
    ///
    /// # Panics
    /// When `work` does, or there are more items than the team was made for.
    pub fn each<T: Send>(&mut self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
        let first = Items(items.as_mut_ptr());
        self.0.round(items.len(), usize::MAX, &|_, i| {
            // SAFETY: i is below the number of items, and `round` gives every i to one thread only.
            work(i, unsafe { &mut *first.at(i) });
        });
    }

    /// Runs `work(tool, i, item)` as [`Team::each`] does, on as many threads as there are `tools`, each with its own.
    ///
    /// # Panics
    /// As [`Team::each`], and without any tool.
    pub fn each_with<T: Send, U: Send>(
        &mut self,
        tools: &mut [T],
        items: &mut [U],
        work: impl Fn(&mut T, usize, &mut U) + Sync,
    ) {
        assert!(!tools.is_empty(), "somebody must work");
        let (first_tool, first) = (Items(tools.as_mut_ptr()), Items(items.as_mut_ptr()));
        self.0.round(items.len(), tools.len(), &|thread, i| {
            // SAFETY: i is below the number of items, and `round` gives every i to one thread only; the number of a
            // thread is below the number of tools.
            work(unsafe { &mut *first_tool.at(thread) }, i, unsafe { &mut *first.at(i) });
        });
    }
}

/// A pointer to items that several threads take apart.
struct Items<T>(*mut T);

// SAFETY: the items are sent to the threads that take them.
unsafe impl<T: Send> Sync for Items<T> {}

impl<T> Items<T> {
    fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

/// What a thread does with a number.
type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// One round: what the threads below `threads` do with the numbers below `count`. The lifetime of the closure is that
/// of the round.
#[derive(Clone, Copy)]
struct Job {
    work: *const Work<'static>,
    count: usize,
    threads: usize,
}

struct Shared {
    helpers: usize,
    /// Number of the present round; its change starts the helpers.
    round: AtomicU64,
    job: UnsafeCell<Option<Job>>,
    /// The round in which each item was last taken.
    taken: Vec<AtomicU64>,
    /// Helpers that have not finished the present round.
    busy: AtomicUsize,
    stop: AtomicBool,
    failed: AtomicBool,
}

// SAFETY: `job` alone is not Sync. It is written by the thread that has the `Team`, while no helper is busy, and read
// by helpers after they have acquired the number of the round that was released after the writing.
unsafe impl Sync for Shared {}

impl Shared {
    fn new(helpers: usize, most: usize) -> Self {
        Self {
            helpers,
            round: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            taken: (0..most).map(|_| AtomicU64::new(0)).collect(),
            busy: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        }
    }

    fn round(&self, count: usize, threads: usize, work: &Work<'_>) {
        assert!(count <= self.taken.len(), "{count} items for a team of {}", self.taken.len());
        // SAFETY: only the lifetime changes; nobody uses the closure after this function, which waits for all helpers
        // even if `work` panics.
        let work = unsafe { std::mem::transmute::<&Work<'_>, &'static Work<'static>>(work) };
        let job = Job { work, count, threads: threads.min(self.helpers + 1) };
        // SAFETY: no helper is busy, so none reads it.
        unsafe { *self.job.get() = Some(job) };
        self.busy.store(self.helpers, Ordering::Relaxed);
        let number = self.round.load(Ordering::Relaxed) + 1;
        self.round.store(number, Ordering::Release);
        let all_done = OnDrop(|| wait(|| self.busy.load(Ordering::Acquire) == 0));
        self.take(0, number, job);
        drop(all_done);
        assert!(!self.failed.load(Ordering::Relaxed), "a thread of a team panicked");
    }

    /// Does what no other thread has taken, beginning with what falls to thread `thread`.
    fn take(&self, thread: usize, round: u64, job: Job) {
        if thread >= job.threads {
            return;
        }
        for turn in 0..job.threads {
            for i in ((thread + turn) % job.threads..job.count).step_by(job.threads) {
                if self.taken[i].swap(round, Ordering::Relaxed) != round {
                    // SAFETY: `round` keeps the closure alive until no helper is busy.
                    unsafe { (*job.work)(thread, i) };
                }
            }
        }
    }

    /// The life of a helper.
    fn help(&self, thread: usize) {
        let mut seen = 0;
        loop {
            let mut round = seen;
            wait(|| {
                round = self.round.load(Ordering::Acquire);
                round != seen || self.stop.load(Ordering::Relaxed)
            });
            if round == seen {
                return;
            }
            seen = round;
            // SAFETY: written before the round was released, and not again before this helper is done.
            let job = unsafe { *self.job.get() };
            let done = catch_unwind(AssertUnwindSafe(|| job.into_iter().for_each(|job| self.take(thread, round, job))));
            if done.is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            self.busy.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Looks before it gives its processor to somebody else: about a tenth of a millisecond.
const LOOKS: u32 = 4096;

/// Returns once `ready` holds.
fn wait(mut ready: impl FnMut() -> bool) {
    let mut looks = 0;
    while !ready() {
        looks += 1;
        if looks < LOOKS { std::hint::spin_loop() } else { std::thread::yield_now() }
    }
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once_in_every_round() {
        for threads in [1, 2, 5] {
            let mut items = vec![0_usize; 37];
            Team::scope(threads, items.len(), |team| {
                for round in 0..300 {
                    let count = 1 + round % 37;
                    team.each(&mut items[..count], |i, item| *item += i + 1);
                }
            });
            // Item i takes part in the rounds that are longer than i.
            let rounds = |i: usize| (0..300).filter(|round| 1 + round % 37 > i).count();
            assert!(items.iter().enumerate().all(|(i, &item)| item == (i + 1) * rounds(i)), "{items:?}");
        }
    }

    /// Seen to fail with a thread more than there are tools.
    #[test]
    fn no_two_threads_share_a_tool() {
        for (threads, count) in [(1, 3), (3, 1), (3, 2), (3, 3), (2, 5)] {
            let (mut tools, mut items) = (vec![(0, false); count], vec![0_usize; 37]);
            Team::scope(threads, items.len(), |team| {
                for _ in 0..100 {
                    team.each_with(&mut tools, &mut items, |(used, is_held), i, item| {
                        assert!(!std::mem::replace(is_held, true), "two threads hold it");
                        *used += 1;
                        *item += i;
                        *is_held = false;
                    });
                }
            });
            assert_eq!(tools.iter().map(|(used, _)| used).sum::<i32>(), 3700);
            assert!(items.iter().enumerate().all(|(i, &item)| item == 100 * i), "{items:?}");
        }
    }

    #[test]
    fn panics_end_the_team() {
        for culprit in [0, 1] {
            let result = std::panic::catch_unwind(|| {
                Team::scope(2, 2, |team| {
                    team.each(&mut [(), ()], |i, ()| assert_ne!(i, culprit, "on purpose"));
                });
            });
            assert!(result.is_err());
        }
    }
}
