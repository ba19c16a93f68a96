//! What the command line may say.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{ArgAction, Parser, Subcommand};
use tumble::host::Permissions;
use tumble::sweep::Part;
use tumble::{Host, Limits};

use super::interrupt::Interrupt;
use super::setup::Setup;
use super::slurm::Submit;
use super::{bench, images, progress, screen};

/// Score-based generative diffusion with active (temporally correlated) noise, scripted.
#[derive(Parser)]
#[command(name = "tumble", version, arg_required_else_help = false)]
#[command(
    after_help = "Without a command the prompt starts; before a script `run` may be left out.\n\nExit codes: 0 success, 1 a script failed, \
                        2 wrong usage, 130 interrupted, 143 and 129 stopped by SIGTERM and SIGHUP; `exit(n)` in a script gives n."
)]
pub(super) struct Arguments {
    /// Run CODE and print the value of its last expression
    #[arg(short = 'e', long = "evaluate", value_name = "CODE", allow_hyphen_values = true)]
    pub(super) code: Option<String>,
    /// Threads of long computations; 0 takes as many as the machine has
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    pub(super) threads: usize,
    /// Vector instructions: auto, avx512, avx2, neon or portable
    #[arg(long, global = true, value_name = "SET", default_value = "auto")]
    pub(super) vectors: String,
    /// Limits of a script: memory=8G, time=1h, operations=1e9, output=1G; several by commas
    #[arg(long = "limit", global = true, value_name = "NAME=VALUE", value_delimiter = ',', action = ArgAction::Append)]
    pub(super) limits: Vec<String>,
    /// Show no progress, but warnings
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// How the prompt shows figures: auto (by what the environment says of the terminal), kitty, iterm, sixel, blocks,
    /// blocks256 or none
    #[arg(long, global = true, value_name = "HOW", default_value = "auto")]
    pub(super) images: String,
    #[command(flatten)]
    pub(super) allowed: Allowed,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

impl Arguments {
    /// The flags of the whole program as they were given, for another start of it in another folder.
    pub(super) fn flags(&self) -> tumble::Result<Vec<String>> {
        let mut flags = Vec::new();
        flags.extend((self.threads != 0).then(|| format!("--threads={}", self.threads)));
        flags.extend((self.vectors != "auto").then(|| format!("--vectors={}", self.vectors)));
        flags.extend(self.limits.iter().map(|limit| format!("--limit={limit}")));
        flags.extend(self.quiet.then(|| "--quiet".to_owned()));
        flags.extend(self.allowed.allow_all.then(|| "--allow-all".to_owned()));
        for (flag, paths) in [("read", &self.allowed.allow_read), ("write", &self.allowed.allow_write)] {
            for path in paths {
                let path = std::path::absolute(path).map_err(|error| tumble::Error::file("read", path, error))?;
                flags.push(format!("--allow-{flag}={}", path.display()));
            }
        }
        Ok(flags)
    }

    /// How runtimes are built that may touch what `host` has.
    pub(super) fn setup(&self, host: Host, interrupt: Interrupt) -> tumble::Result<Setup> {
        let quiet = Arc::new(AtomicBool::new(self.quiet));
        Ok(Setup {
            threads: self.threads,
            limits: self.limits(Limits::default())?,
            progress: Some(Arc::new(progress::Terminal::new(quiet.clone()))),
            quiet,
            screen: Rc::new(screen::Terminal::new(images::chosen(&self.images)?)),
            prints: true,
            host,
            history: None,
            interrupt,
            part: Part::Whole,
        })
    }

    /// The limits of scripts, in place of those that hold otherwise.
    pub(super) fn limits(&self, otherwise: Limits) -> tumble::Result<Limits> {
        self.limits.iter().try_fold(otherwise, |limits, text| limits.with(text))
    }
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Run a script
    Run {
        /// The script; `-` reads it from standard input
        file: PathBuf,
        /// What the script sees as the constant array `args`; behind `--`, also what begins with a dash
        args: Vec<String>,
    },
    /// Start the prompt
    Repl,
    /// Make a folder with a commented experiment that runs in seconds
    New {
        /// The folder
        name: PathBuf,
    },
    /// Look for errors without training, measuring or writing anything
    ///
    /// Names of functions and modules, numbers of arguments and keys of option maps are looked up at every call. Then
    /// the script is rehearsed, for ten seconds at most: processes and networks are made, and what trains, samples,
    /// measures or draws reads its options and ends the statement that it stands in. Not seen are: what depends on the
    /// result of such a function; what stands behind one in a loop, a branch or a function; properties and keys of
    /// maps, and option maps that are no literals, where they are not reached; files that another script writes first.
    #[command(verbatim_doc_comment)]
    Check {
        /// The scripts
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Show the documentation of a function or module, or of everything
    Doc {
        /// `train`, `process::active`, `process`, `Process.kind`
        name: Option<String>,
        /// Everything as one page of Markdown
        #[arg(long, conflicts_with = "name")]
        reference: bool,
        /// A book as pages of HTML in that folder, which need no server; its examples run while it is written
        #[arg(long, value_name = "DIR", conflicts_with_all = ["name", "reference"])]
        book: Option<PathBuf>,
        /// Definitions of all functions for editors, as `.d.rhai` files in that folder
        #[arg(long, value_name = "DIR", conflicts_with_all = ["name", "reference", "book"])]
        definitions: Option<PathBuf>,
    },
    /// Say what is in files that tumble wrote, and what made them
    Info {
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Run again what made a file, and compare; nothing is written but to a folder for temporary files
    Replay {
        /// The file
        file: PathBuf,
        /// Where the script is, if it is not where it was
        #[arg(long, value_name = "PATH")]
        script: Option<PathBuf>,
    },
    /// Show how trainings go on, from another terminal, by the logs that `checkpoint: "DIR"` keeps
    ///
    /// Draws progress, loss and loss by time of the training in a folder, or briefly of all below it, until they are at
    /// their end; Ctrl-C leaves earlier. Where there is no training yet, it waits for one. Elsewhere than on a terminal
    /// it writes once how things are.
    #[command(verbatim_doc_comment)]
    Watch {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Submit the points of a sweep to Slurm, as an array of tasks
    ///
    /// Runs the script as far as the first sweep that lacks results in its folder, and what stands before that; writes
    /// a batch file into the folder, with a task for each point that has no result; and calls `sbatch`. When all points
    /// are there, `tumble run` goes on with what stands behind the sweep.
    #[command(verbatim_doc_comment)]
    Submit(Submit),
    /// Show how the points of a sweep are doing
    Status {
        /// The folder of the sweep
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Write the table of a sweep from the results that are there
    Gather {
        /// The folder of the sweep
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Compute points of a sweep; whoever starts this process says of which
    #[command(hide = true)]
    Share {
        /// The file of an array of Slurm
        job: Option<PathBuf>,
    },
    /// Time the reference jobs; prints a line of JSON for each
    Bench {
        #[arg(
            value_name = "JOB",
            help = format!("`{}`; all of them by default", bench::names().collect::<Vec<_>>().join("`, `"))
        )]
        jobs: Vec<String>,
        /// A tenth of the steps, for a first impression
        #[arg(long)]
        quick: bool,
    },
    /// Write in notebooks: tell Jupyter of this program
    #[cfg(feature = "jupyter")]
    #[command(subcommand, arg_required_else_help = true)]
    Jupyter(Notebooks),
    #[cfg(not(feature = "jupyter"))]
    #[command(hide = true)]
    Jupyter {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _words: Vec<String>,
    },
}

/// What is wanted of the kernel for notebooks.
#[cfg(feature = "jupyter")]
#[derive(Subcommand)]
pub(super) enum Notebooks {
    /// Tell Jupyter of this program
    ///
    /// Flags given here hold in its notebooks: --threads, --vectors, --limit, --quiet and permissions. Scripts may read
    /// and write below the folder of their notebook without any.
    #[command(verbatim_doc_comment)]
    Install(Install),
    /// Be the kernel of a notebook; Jupyter calls this
    Run {
        /// Where Jupyter says how to reach it
        connection_file: PathBuf,
    },
}

/// Where Jupyter is to find the kernel.
#[cfg(feature = "jupyter")]
#[derive(clap::Args)]
pub(crate) struct Install {
    /// What Jupyter knows the kernel by; kernels with other flags need other names
    #[arg(long, default_value = "tumble")]
    pub(crate) name: String,
    /// The folder of an environment, as `$VIRTUAL_ENV`, that alone is to have the kernel
    #[arg(long, value_name = "DIR")]
    pub(crate) prefix: Option<PathBuf>,
    /// For all environments of this user, as without --prefix
    #[arg(long, conflicts_with = "prefix")]
    user: bool,
}

/// What scripts may touch beyond what they may by themselves.
#[derive(clap::Args)]
#[command(next_help_heading = "Permissions of scripts")]
pub(super) struct Allowed {
    /// Reading a file or all below a folder, besides the working directory and the folder of the script
    #[arg(long, global = true, value_name = "PATH")]
    allow_read: Vec<PathBuf>,
    /// Writing a file or all below a folder, besides the working directory, and over files that tumble did not write
    #[arg(long, global = true, value_name = "PATH")]
    allow_write: Vec<PathBuf>,
    /// Reading and writing all files
    #[arg(long, global = true)]
    allow_all: bool,
}

impl Allowed {
    /// With these, what a script may touch that is in this file.
    pub(super) fn permissions(&self, script: Option<&Path>) -> tumble::Result<Permissions> {
        let own = if self.allow_all { Permissions::all } else { Permissions::none };
        // In one that cannot be opened there is nothing to allow.
        let mut permissions = own().working_folder(Path::new(".")).unwrap_or_else(|_| own()).with_flags();
        if let Some(script) = script {
            permissions = permissions.script(script)?;
        }
        for path in &self.allow_read {
            permissions = permissions.allow_read(path)?;
        }
        for path in &self.allow_write {
            permissions = permissions.allow_write(path)?;
        }
        Ok(permissions)
    }
}
