//! Processes of this program beside it, which compute points of a sweep.
//!
//! The thread that starts them was there before the walls around scripts: behind these nobody starts anything. Each
//! process raises walls of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tumble::Error;
use tumble::host::{Companion, Ended, Launcher};

use super::job::{self, Job};

/// How long a process may take to end that was asked to. It ends by itself before, unless it was stopped.
const PATIENCE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

/// Starts processes for the sweeps of one script.
pub(super) struct Workers {
    job: Job,
    orders: Mutex<Sender<Order>>,
}

/// A process that is to be started.
struct Order {
    threads: usize,
    started: Sender<std::io::Result<Child>>,
}

/// A process that was started.
struct Worker {
    child: Child,
    /// Open as long as it is to run.
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
}

impl Workers {
    /// The processes get these flags but for the threads, and of the `job` all but the folder.
    ///
    /// # Errors
    /// When the operating system refuses the thread, or does not know the program.
    pub(super) fn new(mut flags: Vec<String>, job: Job) -> std::io::Result<Self> {
        let program = std::env::current_exe()?;
        flags.retain(|flag| !flag.starts_with("--threads") && flag != "--quiet");
        let (sender, orders) = channel::<Order>();
        let serve = move || {
            for Order { threads, started } in orders {
                // Who ordered it waits for it.
                let _ = started.send(start(&program, &flags, threads));
            }
        };
        std::thread::Builder::new().name("launcher".to_owned()).spawn(serve)?;
        Ok(Self { job, orders: Mutex::new(sender) })
    }

    fn order(&self, threads: usize) -> std::io::Result<Child> {
        let (started, answer) = channel();
        let orders = self.orders.lock().map_err(|_| std::io::Error::other("the thread for it is gone"))?;
        orders.send(Order { threads, started }).map_err(std::io::Error::other)?;
        answer.recv().map_err(std::io::Error::other)?
    }
}

fn start(program: &Path, flags: &[String], threads: usize) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.args(flags).arg(format!("--threads={threads}")).args(["--quiet", "share"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
}

impl Launcher for Workers {
    fn launch(&self, folder: &Path, count: usize, threads: usize) -> tumble::Result<Box<dyn Companion>> {
        let fault = |error| Error::file("start", Path::new("tumble"), error);
        let mut child = self.order(threads).map_err(fault)?;
        let job = Job { folder: folder.to_owned(), count, ..self.job.clone() };
        let mut input = child.stdin.take();
        if let Some(input) = &mut input {
            // One that does not read has ended, and says so in a moment.
            let _ = writeln!(input, "{}", serde_json::to_string(&job).expect("keys are strings"));
        }
        let (sender, lines) = channel();
        let errors = child.stderr.take();
        let read = move || {
            let lines = errors.into_iter().flat_map(|errors| BufReader::new(errors).lines());
            // Until it ends, or nobody listens.
            lines.map_while(Result::ok).all(|line| sender.send(line).is_ok());
        };
        let reader = std::thread::Builder::new().spawn(read).map_err(fault)?;
        Ok(Box::new(Worker { child, input, lines, reader: Some(reader) }))
    }
}

impl Companion for Worker {
    fn name(&self) -> String {
        job::name(self.child.id())
    }

    fn ended(&mut self) -> Option<Ended> {
        let status = self.child.try_wait().ok()??;
        // Its last words are worth the most.
        self.reader.take().map(JoinHandle::join);
        Some(Ended { is_well: status.success(), how: how(status) })
    }

    fn said(&mut self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    fn stop(&mut self) {
        self.input = None;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && start.elapsed() < PATIENCE {
            std::thread::sleep(POLL);
        }
    }
}

/// How a process ended, in words that follow its name.
fn how(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal {
            libc::SIGKILL => "was killed by signal 9, as the system does when memory runs out".to_owned(),
            signal => format!("was ended by signal {signal}"),
        };
    }
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => "ended".to_owned(),
    }
}
