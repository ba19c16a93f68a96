//! The command line: what was asked for, who does it, and the exit code.

mod bench;
mod check;
mod document;
mod exit;
pub(crate) mod interrupt;
mod progress;
mod run;
pub(crate) mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use tumble::{Runtime, vector};

pub(crate) use exit::{FAILURE, INTERRUPTED};
use interrupt::Interrupt;

/// Script calls allowed, and how deep an expression may nest.
const DEPTH: usize = 1000;
/// The stack for both; scripts stop short of it so that what they call has room.
const STACK: usize = 256 << 20;
const STACK_OF_SCRIPTS: usize = STACK - (32 << 20);

/// Score-based generative diffusion with active (temporally correlated) noise, scripted.
#[derive(Parser)]
#[command(name = "tumble", version, arg_required_else_help = false)]
#[command(after_help = "Without a command the prompt starts.\n\nExit codes: 0 success, 1 a script failed, \
                        2 wrong usage, 130 interrupted, 143 and 129 stopped by SIGTERM and SIGHUP; `exit(n)` in a script gives n.")]
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
    /// Show no progress, but warnings
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run a script
    Run {
        /// The script; `-` reads it from standard input
        file: PathBuf,
        /// What the script sees as the constant array `args`
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Start the prompt
    Repl,
    /// Look for syntax errors without running anything
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
}

/// How runtimes are built for this command line.
pub(crate) struct Setup {
    threads: usize,
    quiet: bool,
    /// Whether nobody is told even of warnings.
    silent: bool,
    /// What Ctrl-C does.
    pub(crate) interrupt: Interrupt,
}

impl Setup {
    /// A new runtime that prints to standard output and shows progress and warnings on standard error.
    pub(crate) fn runtime(&self) -> tumble::Result<Runtime> {
        let builder = Runtime::builder().threads(self.threads).cancel(self.interrupt.flag());
        let mut builder = builder.depth(DEPTH).stack(STACK_OF_SCRIPTS);
        if !self.silent {
            builder = builder.progress(Arc::new(progress::Terminal::new(self.quiet)));
        }
        let mut runtime = builder.build()?;
        runtime.engine().on_print(terminal::print);
        runtime.engine().on_debug(|text, _, position| terminal::complain(&format!("debug {position}: {text}")));
        Ok(runtime)
    }
}

#[cfg(test)]
impl Setup {
    /// Silent, and deaf to Ctrl-C.
    pub(crate) fn for_tests() -> Self {
        Self { threads: 1, quiet: true, silent: true, interrupt: Interrupt::default() }
    }
}

/// The prompt: runs until the user leaves, and returns the exit code.
type Prompt = fn(Runtime, Setup) -> u8;

/// Does what the command line asks for; `prompt` is the room above.
pub(crate) fn main(prompt: Prompt) -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.code.is_some() && arguments.command.is_some() {
        let message = "`-e CODE` and a command cannot be used together";
        Arguments::command().error(ErrorKind::ArgumentConflict, message).exit();
    }
    // Scripts recurse on the native stack; the main thread's is too small and cannot be chosen.
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || dispatch(arguments, prompt));
    let code = match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => FAILURE,
        Err(error) => {
            terminal::complain(&format!("error: cannot start a thread: {error}"));
            FAILURE
        }
    };
    ExitCode::from(code)
}

fn dispatch(arguments: Arguments, prompt: Prompt) -> u8 {
    if let Err(error) = vector::force(&arguments.vectors) {
        return terminal::report(&error.into());
    }
    // What is timed is not what one would do.
    let silent = matches!(arguments.command, Some(Command::Bench { .. }));
    let (threads, quiet) = (arguments.threads, arguments.quiet);
    let setup = Setup { threads, quiet, silent, interrupt: Interrupt::install() };
    let runtime = match setup.runtime() {
        Ok(runtime) => runtime,
        Err(error) => return terminal::report(&error.into()),
    };
    let interrupt = setup.interrupt.clone();
    let code = match (arguments.code, arguments.command) {
        (Some(code), _) => run::code(runtime, &setup.interrupt, &code),
        (None, Some(Command::Run { file, args })) => run::file(runtime, &setup.interrupt, &file, args),
        (None, Some(Command::Check { files })) => check::files(runtime, &files),
        (None, Some(Command::Doc { reference: true, .. })) => document::reference(&runtime),
        (None, Some(Command::Doc { name, .. })) => document::show(&runtime, name.as_deref()),
        (None, Some(Command::Bench { jobs, quick })) => {
            let vectors = format!("--vectors={}", arguments.vectors);
            let settings = ["--quiet".to_owned(), format!("--threads={}", setup.threads), vectors];
            bench::jobs(runtime, &setup.interrupt, jobs, quick, &settings)
        }
        (None, Some(Command::Repl) | None) => prompt(runtime, setup),
    };
    // A script that was stopped was interrupted, whatever the signal.
    interrupt.leaving().filter(|_| code == INTERRUPTED).unwrap_or(code)
}
