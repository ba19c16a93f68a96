//! Processes that `mpirun` or `srun` started together.

#[cfg(feature = "mpi")]
use std::time::Duration;

#[cfg(feature = "mpi")]
use tumble::Error;
use tumble::{Result, ranks};

use super::terminal;

/// Where those who start several processes say how many there are: Open MPI, MPICH and all with its interface, Slurm.
const COUNTS: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];

/// A whole number that the environment has under one of these names.
fn told(names: [&str; 3]) -> Option<usize> {
    names.iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}

/// How many processes were started together.
fn started() -> usize {
    told(COUNTS).unwrap_or(1)
}

/// This process among those that were started with it.
#[derive(Default)]
pub(super) struct Ranks {
    #[cfg(feature = "mpi")]
    session: Option<ranks::Mpi>,
}

/// How long a rank that failed waits for the others to fail too, before it ends them: the first, which has then said
/// why, and each of the others, which is going to say it.
#[cfg(feature = "mpi")]
const PATIENCE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(2)];
/// By how much each rank waits longer than the one before, so that one alone speaks.
#[cfg(feature = "mpi")]
const TURN: Duration = Duration::from_millis(100);

#[cfg(feature = "mpi")]
impl Ranks {
    /// Joins the ranks that were started together, if there are several. To be called while there is no other thread.
    ///
    /// # Errors
    /// When they cannot do together what is asked for, or MPI does not start.
    pub(super) fn join(is_shared: bool) -> Result<Self> {
        if started() < 2 {
            return Ok(Self::default());
        }
        // Behind the walls around scripts one process cannot read the memory of another.
        // SAFETY: no other thread reads the environment.
        unsafe { std::env::set_var("OMPI_MCA_btl_vader_single_copy_mechanism", "none") };
        let session = ranks::Mpi::start()?;
        if session.ranks().is_alone() {
            terminal::complain(
                "warning: several processes were started that MPI does not connect, and each does all of the work: under Slurm \
                 try `srun --mpi=pmix`, elsewhere the `mpirun` of the MPI that tumble was built with",
            );
        }
        if !session.ranks().is_first() {
            terminal::be_silent();
        }
        let joined = Self { session: Some(session) };
        if !is_shared && !joined.linked().is_alone() {
            let error = Error::refused("several processes were started to do together what one does alone");
            let code =
                terminal::report(&error.with_hint("`mpirun tumble run SCRIPT` shares the work of a script").into());
            std::process::exit(joined.leave(code).into());
        }
        Ok(joined)
    }

    /// What the host of scripts is to know of them.
    pub(super) fn linked(&self) -> ranks::Ranks {
        self.session.as_ref().map(ranks::Mpi::ranks).unwrap_or_default()
    }

    /// Ends the ranks with this exit code: at once where this one failed and the others do not.
    pub(super) fn leave(self, code: u8) -> u8 {
        if let Some(session) = self.session.as_ref().filter(|_| code != 0) {
            let rank = session.ranks().rank();
            let patience = PATIENCE[rank.min(1)] + TURN * rank as u32;
            if !session.all_end_within(patience) {
                terminal::speak_up(&format!("rank {rank}: "));
                session.abort(code);
            }
        }
        code
    }
}

/// Where they say which of the processes one is.
#[cfg(not(feature = "mpi"))]
const RANKS: [&str; 3] = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"];

#[cfg(not(feature = "mpi"))]
impl Ranks {
    /// Says so where several processes were started that know nothing of each other.
    ///
    /// # Errors
    /// Never.
    pub(super) fn join(is_shared: bool) -> Result<Self> {
        let (count, rank) = (started(), told(RANKS).unwrap_or(0));
        if is_shared && count > 1 && rank == 0 {
            terminal::complain(&format!(
                "warning: {count} processes do the same work, each all of it: this tumble was built without MPI; `cargo install \
                 --path . --features mpi` builds one that shares it"
            ));
        }
        Ok(Self::default())
    }

    /// What the host of scripts is to know of them.
    pub(super) fn linked(&self) -> ranks::Ranks {
        ranks::Ranks::default()
    }

    /// The exit code.
    pub(super) fn leave(self, code: u8) -> u8 {
        code
    }
}
