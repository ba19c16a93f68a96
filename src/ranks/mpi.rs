//! Ranks that MPI connects.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mpi::Threading;
use mpi::collective::{CommunicatorCollectives, Root};
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::point_to_point::{Destination, Source, send_receive_into};
use mpi::topology::{Communicator as _, SimpleCommunicator};

use super::{Communicator, Ranks};
use crate::error::{Error, Result};

/// MPI, from its start to its end, both on the thread that holds this.
pub struct Mpi {
    /// Apart from what the ranks say to each other while they work.
    endings: SimpleCommunicator,
    link: Arc<Link>,
    /// Dropped last, which ends MPI.
    _universe: Universe,
}

impl Mpi {
    /// Starts MPI, which waits for all ranks, and makes all connections, also those that it would make later.
    ///
    /// # Errors
    /// When it was started before, or allows no other thread than this one.
    pub fn start() -> Result<Self> {
        let (universe, threading) = mpi::initialize_with_threading(Threading::Serialized)
            .ok_or_else(|| Error::refused("MPI was started before"))?;
        if threading < Threading::Serialized {
            return Err(Error::refused(format!("this MPI allows threads only as {threading:?}"))
                .with_hint("take one that allows MPI_THREAD_SERIALIZED"));
        }
        let world = universe.world();
        let link = Link { rank: world.rank() as usize, count: world.size() as usize, turn: Mutex::default() };
        link.connect();
        Ok(Self { endings: world.duplicate(), link: Arc::new(link), _universe: universe })
    }

    /// The ranks that it connects.
    pub fn ranks(&self) -> Ranks {
        Ranks::new(self.link.clone())
    }

    /// Whether all ranks come here within a time. Where they do not, nothing is left but to [`abort`](Mpi::abort).
    pub fn all_end_within(&self, time: Duration) -> bool {
        let mut barrier = self.endings.immediate_barrier();
        for _ in 0..time.as_millis() / LOOK.as_millis() {
            match barrier.test() {
                Ok(_) => return true,
                Err(waiting) => barrier = waiting,
            }
            std::thread::sleep(LOOK);
        }
        std::mem::forget(barrier);
        false
    }

    /// Ends all ranks at once.
    pub fn abort(&self, code: u8) -> ! {
        self.endings.abort(code.into())
    }
}

/// Between two looks for who has come.
const LOOK: Duration = Duration::from_millis(2);

/// The world of MPI. Its handles do not go from thread to thread, so each call takes its own, one at a time.
struct Link {
    rank: usize,
    count: usize,
    turn: Mutex<()>,
}

/// Bytes of the first message of [`Communicator::gather`]: the length, and as much as there is room for. What ranks say
/// of a step fits.
const FIRST: usize = 1024;
const LENGTH: usize = size_of::<u64>();

impl Link {
    fn with_world<R>(&self, call: impl FnOnce(&SimpleCommunicator) -> R) -> R {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        call(&SimpleCommunicator::world())
    }

    /// Exchanges messages, short ones and long ones, between all pairs: behind the walls around scripts no connection
    /// can be made.
    fn connect(&self) {
        for length in [1, 1 << 18] {
            let (sent, mut received) = (vec![0.0_f32; length], vec![0.0_f32; length]);
            for away in 1..self.count {
                let at = |rank: usize| (rank % self.count) as i32;
                self.with_world(|world| {
                    let to = world.process_at_rank(at(self.rank + away));
                    let from = world.process_at_rank(at(self.rank + self.count - away));
                    send_receive_into(&sent[..], &to, &mut received[..], &from);
                });
            }
        }
    }
}

impl Communicator for Link {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let (at_once, rest) = own.split_at(own.len().min(FIRST - LENGTH));
        let mut first = [0; FIRST];
        first[..LENGTH].copy_from_slice(&(own.len() as u64).to_le_bytes());
        first[LENGTH..][..at_once.len()].copy_from_slice(at_once);
        let mut firsts = vec![0_u8; FIRST * self.count];
        self.with_world(|world| world.all_gather_into(&first[..], &mut firsts[..]));
        let mut lengths = Vec::new();
        let mut all: Vec<Vec<u8>> = Vec::new();
        for first in firsts.chunks_exact(FIRST) {
            let (length, bytes) = first.split_at(LENGTH);
            let length = u64::from_le_bytes(length.try_into().expect("eight bytes")) as usize;
            lengths.push(length);
            all.push(bytes[..length.min(bytes.len())].to_vec());
        }
        // MPI counts in 32 bits.
        let most = i32::MAX as usize / self.count;
        let mut sent = 0;
        while all.iter().zip(&lengths).any(|(bytes, length)| bytes.len() < *length) {
            let counts: Vec<_> = all.iter().zip(&lengths).map(|(bytes, all)| most.min(all - bytes.len())).collect();
            let places: Vec<_> = (0..self.count).map(|rank| counts[..rank].iter().sum::<usize>()).collect();
            let mut received = vec![0_u8; counts.iter().sum()];
            let in_calls = |sizes: &[usize]| sizes.iter().map(|size| *size as i32).collect::<Vec<_>>();
            let mut parts = PartitionMut::new(&mut received[..], in_calls(&counts), in_calls(&places));
            let part = &rest[sent..][..counts[self.rank]];
            self.with_world(|world| world.all_gather_varcount_into(part, &mut parts));
            sent += part.len();
            for (bytes, (place, count)) in all.iter_mut().zip(places.iter().zip(&counts)) {
                bytes.extend_from_slice(&received[*place..][..*count]);
            }
        }
        all
    }

    fn send(&self, values: &[f32], to: usize) {
        self.with_world(|world| world.process_at_rank(to as i32).send(values));
    }

    fn receive(&self, values: &mut [f32], from: usize) {
        self.with_world(|world| world.process_at_rank(from as i32).receive_into(values));
    }

    fn broadcast(&self, values: &mut [f32], from: usize) {
        for part in values.chunks_mut(i32::MAX as usize) {
            self.with_world(|world| world.process_at_rank(from as i32).broadcast_into(part));
        }
    }
}
