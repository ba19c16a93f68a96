//! Ranks that are threads of one process, by which tests see what becomes of work in shares.

use std::collections::VecDeque;
use std::sync::{Arc, Barrier, Condvar, Mutex};

use super::{Communicator, Ranks};

struct Shared {
    barrier: Barrier,
    /// What each rank gives at present.
    given: Vec<Mutex<Vec<u8>>>,
    /// What is on its way to each rank, with the sender.
    sent: Vec<Mutex<VecDeque<(usize, Vec<f32>)>>>,
    arrived: Vec<Condvar>,
}

struct Threads {
    rank: usize,
    shared: Arc<Shared>,
}

/// Runs `work` on that many ranks at the same time; what each gives, in their order.
///
/// A rank that panics while others wait for it leaves them waiting: it ends the process, as MPI would.
pub(crate) fn together<R: Send>(count: usize, work: impl Fn(&Ranks) -> R + Sync) -> Vec<R> {
    let shared = Arc::new(Shared {
        barrier: Barrier::new(count),
        given: (0..count).map(|_| Mutex::default()).collect(),
        sent: (0..count).map(|_| Mutex::default()).collect(),
        arrived: (0..count).map(|_| Condvar::new()).collect(),
    });
    let run = |rank| {
        let ranks = Ranks::new(Arc::new(Threads { rank, shared: shared.clone() }));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&ranks)));
        outcome.unwrap_or_else(|_| std::process::abort())
    };
    std::thread::scope(|scope| {
        let run = &run;
        let ranks: Vec<_> = (0..count).map(|rank| scope.spawn(move || run(rank))).collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

impl Communicator for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.shared.given.len()
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        *self.shared.given[self.rank].lock().unwrap() = own.to_vec();
        self.shared.barrier.wait();
        let all = self.shared.given.iter().map(|given| given.lock().unwrap().clone()).collect();
        self.shared.barrier.wait();
        all
    }

    fn send(&self, values: &[f32], to: usize) {
        self.shared.sent[to].lock().unwrap().push_back((self.rank, values.to_vec()));
        self.shared.arrived[to].notify_all();
    }

    fn receive(&self, values: &mut [f32], from: usize) {
        let is_empty = |sent: &mut VecDeque<_>| sent.is_empty();
        let sent = self.shared.sent[self.rank].lock().unwrap();
        let mut sent = self.shared.arrived[self.rank].wait_while(sent, is_empty).unwrap();
        let (sender, sent) = sent.pop_front().unwrap();
        assert_eq!((sender, sent.len()), (from, values.len()), "another message was waited for");
        values.copy_from_slice(&sent);
    }

    fn broadcast(&self, values: &mut [f32], from: usize) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let all = self.gather(&bytes);
        for (value, bytes) in values.iter_mut().zip(all[from].chunks_exact(4)) {
            *value = f32::from_le_bytes(bytes.try_into().unwrap());
        }
    }
}
