//! The command line: what was asked for, who does it, and the exit code.

mod bench;
mod book;
mod check;
mod document;
mod exit;
mod history;
mod images;
mod info;
pub(crate) mod interrupt;
mod new;
pub(crate) mod pace;
mod progress;
mod ranks;
mod replay;
mod run;
pub(crate) mod screen;
mod setup;
pub(crate) mod terminal;
#[cfg(target_os = "linux")]
mod wall;
mod watch;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use tumble::host::{Permissions, Stage};
use tumble::task::Progress;
use tumble::{Host, Limits, Runtime, vector};

#[cfg(feature = "jupyter")]
pub(crate) use exit::code;
pub(crate) use exit::{FAILURE, INTERRUPTED};
use interrupt::Interrupt;
use ranks::Ranks;
use setup::STACK;
pub(crate) use setup::Setup;

/// Score-based generative diffusion with active (temporally correlated) noise, scripted.
#[derive(Parser)]
#[command(name = "tumble", version, arg_required_else_help = false)]
#[command(
    after_help = "Without a command the prompt starts; before a script `run` may be left out.\n\nExit codes: 0 success, 1 a script failed, \
                        2 wrong usage, 130 interrupted, 143 and 129 stopped by SIGTERM and SIGHUP; `exit(n)` in a script gives n."
)]
struct Arguments {
    /// Run CODE and print the value of its last expression
    #[arg(short = 'e', long = "evaluate", value_name = "CODE", allow_hyphen_values = true)]
    code: Option<String>,
    /// Threads of long computations; 0 takes as many as the machine has
    #[arg(long, global = true, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Vector instructions: auto, avx512, avx2, neon or portable
    #[arg(long, global = true, value_name = "SET", default_value = "auto")]
    vectors: String,
    /// Limits of a script: memory=8G, time=1h, operations=1e9, output=1G; several by commas
    #[arg(long = "limit", global = true, value_name = "NAME=VALUE", value_delimiter = ',', action = ArgAction::Append)]
    limits: Vec<String>,
    /// Show no progress, but warnings
    #[arg(short, long, global = true)]
    quiet: bool,
    /// How the prompt shows figures: auto (by what the environment says of the terminal), kitty, iterm, sixel, blocks
    /// or none
    #[arg(long, global = true, value_name = "HOW", default_value = "auto")]
    images: String,
    #[command(flatten)]
    allowed: Allowed,
    #[command(subcommand)]
    command: Option<Command>,
}

#[cfg(feature = "jupyter")]
impl Arguments {
    /// The flags of the whole program as they were given, for another start of it in another folder.
    fn flags(&self) -> tumble::Result<Vec<String>> {
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
}

#[derive(Subcommand)]
enum Command {
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
enum Notebooks {
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
struct Allowed {
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
    fn permissions(&self, script: Option<&Path>) -> tumble::Result<Permissions> {
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

/// What rooms above do for the command line.
pub(crate) struct Above {
    /// The prompt: runs until the user leaves, and returns the exit code.
    pub(crate) prompt: fn(Runtime, Setup) -> u8,
    /// What it can be told.
    pub(crate) commands: fn() -> String,
    /// Tells Jupyter of this program with these flags.
    #[cfg(feature = "jupyter")]
    pub(crate) install: fn(&Install, &[String]) -> tumble::Result<u8>,
    /// Opens the kernel of a notebook by its connection file: what then runs until Jupyter ends it.
    #[cfg(feature = "jupyter")]
    pub(crate) kernel: fn(&Path, &Interrupt) -> tumble::Result<Kernel>,
}

/// A kernel that can be reached: runs until Jupyter ends it, and returns the exit code.
#[cfg(feature = "jupyter")]
pub(crate) type Kernel = Box<dyn FnOnce(Setup) -> tumble::Result<u8>>;

/// Does what the command line asks for.
pub(crate) fn main(above: Above) -> ExitCode {
    let mut command = Arguments::command().mut_subcommand("repl", |repl| repl.after_help((above.commands)()));
    let words: Vec<OsString> = std::env::args_os().collect();
    let matches = command.try_get_matches_from_mut(&words).or_else(|error| match with_run(&words, &error) {
        Some(words) => command.try_get_matches_from_mut(words),
        None => Err(error),
    });
    let arguments = matches.and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = arguments.unwrap_or_else(|error| error.exit());
    if arguments.code.is_some() && arguments.command.is_some() {
        let message = "`-e CODE` and a command cannot be used together";
        Arguments::command().error(ErrorKind::ArgumentConflict, message).exit();
    }
    let ranks = match Ranks::join(is_shared(&arguments)) {
        Ok(ranks) => ranks,
        Err(error) => return ExitCode::from(terminal::report(&error.into())),
    };
    let stage = matches!(arguments.command, Some(Command::Replay { .. })).then(|| Stage::below(&std::env::temp_dir()));
    let stage = match stage.transpose() {
        Ok(stage) => stage,
        Err(error) => return ExitCode::from(terminal::report(&error.into())),
    };
    let (own, linked) = (stage.clone(), ranks.linked());
    // Scripts recurse on the native stack; the main thread's is too small and cannot be chosen.
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        dispatch(arguments, &above, own, linked).unwrap_or_else(|error| terminal::report(&error.into()))
    });
    let code = match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => FAILURE,
        Err(error) => {
            terminal::complain(&format!("error: cannot start a thread: {error}"));
            FAILURE
        }
    };
    if let Some(stage) = stage {
        // What differs is there to be looked at.
        stage.remove(code != FAILURE);
    }
    ExitCode::from(ranks.leave(code))
}

/// Whether several ranks can do together what is asked for.
fn is_shared(arguments: &Arguments) -> bool {
    arguments.code.is_some() || matches!(arguments.command, Some(Command::Run { .. }))
}

/// The command line with `run` before a script that no command stands before.
fn with_run(words: &[OsString], error: &clap::Error) -> Option<Vec<OsString>> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    let place = words.iter().position(|given| given == word.as_str()).filter(|_| word.ends_with(".rhai"))?;
    let mut words = words.to_vec();
    words.insert(place, "run".into());
    Some(words)
}

fn dispatch(
    arguments: Arguments,
    above: &Above,
    stage: Option<Stage>,
    ranks: tumble::ranks::Ranks,
) -> tumble::Result<u8> {
    vector::force(&arguments.vectors)?;
    let interrupt = Interrupt::install();
    #[cfg(feature = "jupyter")]
    let kernel = match &arguments.command {
        Some(Command::Jupyter(Notebooks::Install(install))) => return (above.install)(install, &arguments.flags()?),
        // No connection can be made once the walls stand.
        Some(Command::Jupyter(Notebooks::Run { connection_file })) => {
            Some((above.kernel)(connection_file, &interrupt)?)
        }
        _ => None,
    };
    #[cfg(not(feature = "jupyter"))]
    if let Some(Command::Jupyter { .. }) = &arguments.command {
        let error = tumble::Error::refused("this tumble was built without its kernel for Jupyter".to_owned());
        return Err(error.with_hint("`cargo install --path . --features jupyter` builds one that has it"));
    }
    // What the user names is read before the walls stand, and from wherever it is.
    let script = match &arguments.command {
        Some(Command::Run { file, .. }) => Some((file.as_path(), ranks.first("the script", || run::read(file))?)),
        _ => None,
    };
    let job = match (&arguments.command, stage) {
        (Some(Command::Replay { file, script }), Some(stage)) => {
            Some(replay::Job::find(file, script.as_deref(), stage)?)
        }
        _ => None,
    };
    let is_prompt = arguments.code.is_none() && matches!(arguments.command, Some(Command::Repl) | None);
    let history = if is_prompt { history::file() } else { None };
    let host = match &arguments.command {
        // These run no script of the user.
        Some(
            Command::Doc { .. }
            | Command::Bench { .. }
            | Command::Info { .. }
            | Command::New { .. }
            | Command::Watch { .. },
        ) => Host::default(),
        Some(Command::Check { files }) => {
            let permissions = arguments.allowed.permissions(None)?;
            let permissions = files.iter().try_fold(permissions, |all, file| all.script(file))?;
            #[cfg(target_os = "linux")]
            wall::raise(&permissions, None);
            Host::default().with_permissions(permissions).with_policy(check::read_only())
        }
        Some(Command::Run { .. } | Command::Repl | Command::Replay { .. } | Command::Jupyter { .. }) | None => {
            // What a record says of a script's folder is no reason to open that folder; what the user says is.
            let told = match &arguments.command {
                Some(Command::Replay { script, .. }) => script.as_deref(),
                _ => None,
            };
            let path = script.as_ref().map(|(path, _)| *path).or(told);
            let mut permissions = arguments.allowed.permissions(path)?;
            if let Some(job) = &job {
                permissions = permissions.allow_write(job.stage().folder())?;
            }
            #[cfg(target_os = "linux")]
            wall::raise(&permissions, history.as_deref());
            let host = Host::default().with_permissions(permissions).with_ranks(ranks.clone());
            match &job {
                Some(job) => host.with_stage(job.stage().clone()),
                None => host,
            }
        }
    };
    // What is timed is not what one would do.
    let is_check = matches!(arguments.command, Some(Command::Check { .. }));
    let silent = is_check || matches!(arguments.command, Some(Command::Bench { .. }));
    let (threads, quiet) = (arguments.threads, Arc::new(AtomicBool::new(arguments.quiet)));
    let limits = if is_check { check::limits() } else { Limits::default() };
    let limits = arguments.limits.iter().try_fold(limits, |limits, text| limits.with(text))?;
    let prints = job.is_none() && !is_check;
    let progress =
        (!silent && ranks.is_first()).then(|| Arc::new(progress::Terminal::new(quiet.clone())) as Arc<dyn Progress>);
    let screen = Rc::new(screen::Terminal::new(images::chosen(&arguments.images)?));
    let setup = Setup { threads, limits, quiet, progress, screen, prints, host, history, interrupt };
    #[cfg(feature = "jupyter")]
    if let Some(kernel) = kernel {
        return kernel(setup);
    }
    let runtime = setup.runtime()?;
    let script = script.map(|(_, text)| text);
    let interrupt = setup.interrupt.clone();
    let code = match (arguments.code, arguments.command) {
        (Some(code), _) => run::code(runtime, &setup.interrupt, &code),
        (None, Some(Command::Run { args, .. })) => {
            run::script(runtime, &setup.interrupt, script.expect("it was read"), args)
        }
        (None, Some(Command::Replay { .. })) => job.expect("it was found").run(runtime, &setup.interrupt),
        (None, Some(Command::Info { files })) => info::files(&setup.host, &files),
        (None, Some(Command::Watch { folder })) => watch::folder(&setup.host, &setup.interrupt, &folder)?,
        (None, Some(Command::New { name })) => new::experiment(&setup.host, &name)?,
        (None, Some(Command::Check { files })) => check::files(&setup, &files),
        (None, Some(Command::Doc { book: Some(folder), .. })) => book::write(&setup, &folder),
        (None, Some(Command::Doc { definitions: Some(folder), .. })) => document::definitions(&runtime, &folder)?,
        (None, Some(Command::Doc { reference: true, .. })) => document::reference(&runtime),
        (None, Some(Command::Doc { name, .. })) => document::show(&runtime, name.as_deref()),
        (None, Some(Command::Bench { jobs, quick })) => {
            let vectors = format!("--vectors={}", arguments.vectors);
            let settings = ["--quiet".to_owned(), format!("--threads={}", setup.threads), vectors];
            bench::jobs(runtime, &setup.interrupt, jobs, quick, &settings)
        }
        (None, Some(Command::Jupyter { .. })) => unreachable!("it was done above"),
        (None, Some(Command::Repl) | None) => (above.prompt)(runtime, setup),
    };
    // A script that was stopped was interrupted, whatever the signal.
    Ok(interrupt.leaving().filter(|_| code == INTERRUPTED).unwrap_or(code))
}
