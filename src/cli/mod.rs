//! The command line: what was asked for, who does it, and the exit code.

mod arguments;
mod bench;
mod book;
mod check;
mod document;
mod exit;
mod history;
mod images;
mod info;
pub(crate) mod interrupt;
mod job;
mod new;
pub(crate) mod pace;
mod progress;
mod ranks;
mod replay;
mod run;
pub(crate) mod screen;
mod setup;
mod slurm;
mod sweeps;
pub(crate) mod terminal;
#[cfg(target_os = "linux")]
mod wall;
mod watch;
mod workers;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};
use tumble::host::Stage;
use tumble::sweep::Part;
use tumble::{Error, Host, Runtime, vector};

#[cfg(feature = "jupyter")]
pub(crate) use arguments::Install;
#[cfg(feature = "jupyter")]
use arguments::Notebooks;
use arguments::{Arguments, Command};
#[cfg(feature = "jupyter")]
pub(crate) use exit::code;
pub(crate) use exit::{FAILURE, INTERRUPTED};
pub(crate) use images::WORDS as IMAGES;
use interrupt::Interrupt;
use job::Job;
use ranks::Ranks;
use setup::STACK;
pub(crate) use setup::Setup;
use workers::Workers;

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
        let error = Error::refused("this tumble was built without its kernel for Jupyter".to_owned());
        return Err(error.with_hint("`cargo install --path . --features jupyter` builds one that has it"));
    }
    if let Some(Command::Submit(order)) = &arguments.command {
        let (script, text) = run::read(&order.file)?;
        let host = Host::default().with_permissions(arguments.allowed.permissions(Some(&order.file))?);
        let script = Job { script, text, arguments: order.args.clone(), ..Job::default() };
        let plan = |part| plan(&arguments, &script, part, &interrupt);
        return slurm::submit(order, &script, &arguments.flags()?, &host, plan);
    }
    // What the user names is read before the walls stand, and from wherever it is.
    let (script, part) = match &arguments.command {
        Some(Command::Run { file, args }) => {
            let (script, text) = ranks.first("the script", || run::read(file))?;
            (Some(Job { script, text, arguments: args.clone(), ..Job::default() }), Part::Whole)
        }
        Some(Command::Share { job }) => {
            let (job, part) = Job::read(job.as_deref(), &interrupt)?;
            (Some(job), part)
        }
        Some(Command::Replay { .. }) => (None, Part::Alone),
        _ => (None, Part::Whole),
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
            | Command::Watch { .. }
            | Command::Status { .. }
            | Command::Gather { .. },
        ) => Host::default(),
        Some(Command::Check { files }) => {
            let permissions = arguments.allowed.permissions(None)?;
            let permissions = files.iter().try_fold(permissions, |all, file| all.script(file))?;
            #[cfg(target_os = "linux")]
            wall::raise(&permissions, None);
            Host::default().with_permissions(permissions).with_policy(check::read_only())
        }
        Some(_) | None => {
            // What a record says of a script's folder is no reason to open that folder; what the user says is.
            let told = match &arguments.command {
                Some(Command::Replay { script, .. }) => script.as_deref(),
                _ => None,
            };
            let path = script.as_ref().map(|job| Path::new(&job.script)).or(told);
            // Ranks compute each point together.
            let launcher = if ranks.is_alone() { launcher(&arguments, script.as_ref())? } else { None };
            let mut permissions = arguments.allowed.permissions(path)?;
            if let Some(job) = &job {
                permissions = permissions.allow_write(job.stage().folder())?;
            }
            #[cfg(target_os = "linux")]
            wall::raise(&permissions, history.as_deref());
            let host = Host::default().with_permissions(permissions).with_ranks(ranks.clone());
            match (&job, launcher) {
                (Some(job), _) => host.with_stage(job.stage().clone()),
                (None, Some(launcher)) => host.with_launcher(Arc::new(launcher)),
                (None, None) => host,
            }
        }
    };
    // What is timed is not what one would do.
    let is_check = matches!(arguments.command, Some(Command::Check { .. }));
    let silent = is_check || matches!(arguments.command, Some(Command::Bench { .. }));
    let mut setup = Setup { history, part, prints: job.is_none() && !is_check, ..arguments.setup(host, interrupt)? };
    if is_check {
        setup.limits = arguments.limits(check::limits())?;
    }
    if silent || !ranks.is_first() {
        setup.progress = None;
    }
    #[cfg(feature = "jupyter")]
    if let Some(kernel) = kernel {
        return kernel(setup);
    }
    let runtime = setup.runtime()?;
    let interrupt = setup.interrupt.clone();
    let code = match (arguments.code, arguments.command) {
        (Some(code), _) => run::code(runtime, &setup.interrupt, &code),
        (None, Some(Command::Run { .. } | Command::Share { .. })) => {
            run::script(runtime, &setup.interrupt, script.expect("it was read"))
        }
        (None, Some(Command::Replay { .. })) => job.expect("it was found").run(runtime, &setup.interrupt),
        (None, Some(Command::Info { files })) => info::files(&setup.host, &files),
        (None, Some(Command::Watch { folder })) => watch::folder(&setup.host, &setup.interrupt, &folder)?,
        (None, Some(Command::Status { folder })) => sweeps::status(&folder)?,
        (None, Some(Command::Gather { folder })) => sweeps::gather(&folder)?,
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
        (None, Some(Command::Jupyter { .. } | Command::Submit(_))) => unreachable!("it was done above"),
        (None, Some(Command::Repl) | None) => (above.prompt)(runtime, setup),
    };
    // A script that was stopped was interrupted, whatever the signal.
    Ok(interrupt.leaving().filter(|_| code == INTERRUPTED).unwrap_or(code))
}

/// What starts processes for the sweeps of a script; there is none where nobody could run it again.
fn launcher(arguments: &Arguments, script: Option<&Job>) -> tumble::Result<Option<Workers>> {
    let code = arguments.code.as_ref().map(|code| Job {
        script: run::COMMAND_LINE.to_owned(),
        text: code.clone(),
        ..Job::default()
    });
    let is_run = matches!(arguments.command, Some(Command::Run { .. }));
    let Some(job) = code.or_else(|| script.filter(|_| is_run).cloned()) else { return Ok(None) };
    let workers = Workers::new(arguments.flags()?, job);
    workers.map(Some).map_err(|error| Error::file("start", Path::new("tumble"), error))
}

/// Runs a script as this part of its sweeps and returns the exit code: on a thread of its own, since the calling one is
/// to start programs, which nobody does behind the walls.
fn plan(arguments: &Arguments, script: &Job, part: Part, interrupt: &Interrupt) -> tumble::Result<u8> {
    let run = || {
        let permissions = arguments.allowed.permissions(Some(Path::new(&script.script)))?;
        #[cfg(target_os = "linux")]
        wall::raise(&permissions, None);
        let host = Host::default().with_permissions(permissions);
        let setup = Setup { part, prints: false, ..arguments.setup(host, interrupt.clone())? };
        Ok(run::script(setup.runtime()?, &setup.interrupt, script.clone()))
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        let thread = thread.map_err(|error| Error::refused(format!("cannot start a thread: {error}")))?;
        thread.join().unwrap_or(Ok(FAILURE))
    })
}
