//! Processes that run one script together, each with its share of the work.
//!
//! All ranks run the same script. What takes long is cut into items whose results depend on their numbers only, as
//! threads share it; each rank does a contiguous share, and all get all results. So every rank has the same values,
//! takes the same branches, and has the bits of a process alone. What is written is written by the first rank, while
//! the others wait.
//!
//! Of a batch of C chunks on R ranks each differentiates C/R. The gradients are added in the order of the chunks, as
//! alone: a rank receives the sum so far from the rank before it, adds its own, and sends it on, in segments, so that
//! all ranks add at the same time; then the last one tells all. With P parameters that is 4 P bytes to the next rank
//! and 4 P bytes from the last, however many chunks there are, which is what a ring takes that adds in another order.
//! (To send each rank the chunks of its share of the parameters would take 4 P (C/R + 1) bytes of each rank; to send
//! all chunks to all, 4 P C.) README.md has what a step takes by this law, with measured figures.

#[cfg(feature = "mpi")]
mod mpi;
#[cfg(test)]
mod threads;

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

#[cfg(feature = "mpi")]
pub use mpi::Mpi;
#[cfg(test)]
pub(crate) use threads::together;

/// What carries messages between ranks. All ranks make the same calls in the same order.
pub trait Communicator: Send + Sync {
    /// The number of this rank, from 0 on.
    fn rank(&self) -> usize;

    /// Number of ranks.
    fn count(&self) -> usize;

    /// What each rank gives, in the order of ranks, once all have.
    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>>;

    /// Sends values to a rank, which receives as many.
    fn send(&self, values: &[f32], to: usize);

    /// Receives the values that a rank sends.
    fn receive(&self, values: &mut [f32], from: usize);

    /// Gives all ranks the values of one.
    fn broadcast(&self, values: &mut [f32], from: usize);
}

/// The ranks of a run, this one among them; by default it is alone. Cheap to clone.
#[derive(Clone, Default)]
pub struct Ranks(Option<Arc<dyn Communicator>>);

/// Values that go from rank to rank at once: while one rank adds to a segment, others add to those before it.
const SEGMENT: usize = 4 * 4096;

impl Ranks {
    /// One rank.
    pub(crate) const ALONE: Self = Self(None);

    /// The ranks that a communicator connects.
    pub fn new(communicator: Arc<dyn Communicator>) -> Self {
        Self(Some(communicator).filter(|communicator| communicator.count() > 1))
    }

    /// The number of this rank, from 0 on.
    pub fn rank(&self) -> usize {
        self.0.as_ref().map_or(0, |communicator| communicator.rank())
    }

    /// Number of ranks.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(1, |communicator| communicator.count())
    }

    /// Whether there is no other rank.
    pub fn is_alone(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this rank is the one that writes.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// Which of `items` are this rank's. Shares stand in the order of ranks, and only the first is never empty.
    pub fn share(&self, items: usize) -> Range<usize> {
        let begin = |rank: usize| (rank * items).div_ceil(self.count());
        begin(self.rank())..begin(self.rank() + 1)
    }

    /// What each rank gives, in the order of ranks. `what` says to the user where in the script that is.
    ///
    /// # Errors
    /// When a rank is elsewhere in the script.
    pub fn gather<T: Serialize + DeserializeOwned>(&self, what: &str, own: T) -> Result<Vec<T>> {
        let Some(communicator) = &self.0 else { return Ok(vec![own]) };
        let garbled = |error| Error::refused(format!("what a rank says of {what} cannot be passed on: {error}"));
        let message = postcard::to_stdvec(&(what, own)).map_err(garbled)?;
        let read = |(rank, message): (usize, &Vec<u8>)| {
            let (theirs, rest) = postcard::take_from_bytes::<String>(message).map_err(garbled)?;
            match theirs == what {
                true => postcard::from_bytes(rest).map_err(garbled),
                false => Err(parted((self.rank(), what), (rank, &theirs))),
            }
        };
        communicator.gather(&message).iter().enumerate().map(read).collect()
    }

    /// Does `work` on the first rank, once all have come so far; all get what it gives.
    ///
    /// # Errors
    /// Those of `work`, and as [`Ranks::gather`].
    pub fn first<T: Serialize + DeserializeOwned>(&self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.is_alone() {
            return work();
        }
        // Who is behind must not see what it is going to change.
        self.gather(what, ())?;
        let done = self.gather(what, self.is_first().then(work))?;
        done.into_iter().flatten().next().expect("the first rank gave something")
    }

    /// Sums over all ranks in their order: `add(place, sums)` adds this rank's to the `sums` from a place on, which are
    /// those of the ranks before; the first rank has none before it and sets them.
    pub fn sum_in_order(&self, sums: &mut [f32], mut add: impl FnMut(usize, &mut [f32])) {
        let Some(communicator) = &self.0 else { return add(0, sums) };
        let (rank, last) = (communicator.rank(), communicator.count() - 1);
        for (number, part) in sums.chunks_mut(SEGMENT).enumerate() {
            if rank > 0 {
                communicator.receive(part, rank - 1);
            }
            add(number * SEGMENT, part);
            if rank < last {
                communicator.send(part, rank + 1);
            }
        }
        communicator.broadcast(sums, last);
    }
}

/// Two ranks that wait for each other in different places.
fn parted((own, here): (usize, &str), (other, there): (usize, &str)) -> Error {
    let [(first, place), (second, elsewhere)] = match own < other {
        true => [(own, here), (other, there)],
        false => [(other, there), (own, here)],
    };
    let what = format!("rank {first} came to {place}, rank {second} to {elsewhere}: all ranks must go the same way");
    Error::refused(what).with_hint("let a script decide nothing by the time, nor by files that only some ranks find")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen to fail with shares that are rounded down: the first of more ranks than items had none.
    #[test]
    fn shares_are_all_items_in_order() {
        for (count, items) in [(1, 5), (2, 5), (4, 3), (3, 0), (7, 100), (4, 1)] {
            let shares = together(count, |ranks| ranks.share(items));
            assert_eq!(shares.iter().cloned().flatten().collect::<Vec<_>>(), (0..items).collect::<Vec<_>>());
            assert!(items == 0 || !shares[0].is_empty(), "{count} ranks, {items} items");
            let lengths = || shares.iter().map(Range::len);
            assert!(lengths().max().unwrap() - lengths().min().unwrap() <= 1, "{shares:?}");
        }
    }

    /// Values of such sizes have another sum in any other order. Seen to fail with sums that are sent before the rank
    /// has added its own.
    #[test]
    fn sums_are_those_of_one_after_the_other() {
        let value =
            |chunk: usize, i: usize| ((chunk * 7919 + i * 104_729) % 1009) as f32 * 10.0_f32.powi(chunk as i32 % 9);
        let (chunks, length) = (13, 2 * SEGMENT + 77);
        let add = |share: Range<usize>, place: usize, sums: &mut [f32]| {
            for chunk in share {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let value = value(chunk, place + i);
                    *sum = if chunk == 0 { value } else { *sum + value };
                }
            }
        };
        let mut alone = vec![f32::NAN; length];
        Ranks::default().sum_in_order(&mut alone, |place, sums| add(0..chunks, place, sums));
        for count in [2, 3, 5, 20] {
            let all = together(count, |ranks| {
                let mut sums = vec![f32::NAN; length];
                ranks.sum_in_order(&mut sums, |place, sums| add(ranks.share(chunks), place, sums));
                sums
            });
            assert!(all.iter().all(|sums| *sums == alone), "{count} ranks");
        }
    }

    #[test]
    fn what_the_first_does_is_done_once_for_all() {
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let work = || {
            calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Err::<(), _>(Error::file("write", "x".as_ref(), "the disk is full").with_hint("make room"))
        };
        let errors = together(3, |ranks| ranks.first("write", work).unwrap_err());
        assert_eq!(calls.into_inner(), 1);
        for error in errors {
            assert_eq!(
                format!("{error}; {:?}", error.hint()),
                "cannot write `x`: the disk is full; Some(\"make room\")"
            );
        }
    }

    /// Seen to fail without a look at the place: rank 1 took the number for its own.
    #[test]
    fn who_went_another_way_is_told() {
        let errors = together(2, |ranks| {
            ranks.gather(["sampling", "writing a.json"][ranks.rank()], 7_u64).unwrap_err().to_string()
        });
        for error in errors {
            assert_eq!(error, "rank 0 came to sampling, rank 1 to writing a.json: all ranks must go the same way");
        }
    }
}
