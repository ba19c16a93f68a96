//! Runs scripts where they can do no harm, and looks at what users would be shown.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tumble::host::{CountingAllocator, Host, Permissions};
use tumble::task::{Progress, Report, Task};
use tumble::{Diagnostic, Limits, Runtime};

// Without it there is no limit of memory as a whole.
#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What a run may take. Runs are short, so that there can be many of them.
const LIMITS: Limits = Limits {
    operations: 200_000,
    output: 1 << 20,
    time: Some(Duration::from_millis(300)),
    memory: Some((1_u64 << 30) as f64),
};

/// A folder of its own, and what may reach nothing else.
pub struct Trial {
    folder: TempDir,
}

impl Default for Trial {
    fn default() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }
}

impl Trial {
    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn host(&self) -> Host {
        Host::default().with_permissions(Permissions::none().working_folder(self.folder()).unwrap())
    }

    /// A task of one thread, for what is called without a script.
    pub fn task(&self) -> Task {
        let task = Task::new(Arc::default(), Some(Arc::new(Listener::default())), 1).unwrap();
        let host = self.host().with_memory_limit(LIMITS.memory.unwrap());
        let task = task.with_host(host).with_time_limit(LIMITS.time.unwrap());
        task.begin();
        task
    }

    /// A runtime whose scripts find the folder in the constant `folder`.
    pub fn runtime(&self) -> Runtime {
        let builder = Runtime::builder().threads(1).limits(LIMITS).host(self.host()).print(|_| ()).debug(|_| ());
        let mut runtime = builder.progress(Arc::new(Listener::default())).build().unwrap();
        runtime.set_constant("folder", format!("{}/", self.folder().display()));
        runtime
    }

    /// Runs a script to its end, and shows what came of it.
    pub fn run(&self, script: &str) {
        let mut runtime = self.runtime();
        match runtime.run(script) {
            Ok(value) => {
                let _ = (runtime.display(&value), runtime.type_name(&value));
            }
            Err(diagnostic) => check_shown(&diagnostic),
        }
    }
}

/// Takes progress and warnings as a terminal does.
#[derive(Default)]
struct Listener(Mutex<usize>);

impl Progress for Listener {
    fn update(&self, report: &Report) {
        *self.0.lock().unwrap() += format!("{report:?}").len();
    }

    fn finish(&self, report: &Report) {
        self.update(report);
    }

    fn warn(&self, warning: &str) {
        assert!(!warning.is_empty());
    }
}

/// What is rendered of an error controls no terminal beyond colours.
pub fn check_shown(diagnostic: &Diagnostic) {
    let text = diagnostic.render(false);
    assert!(text.starts_with("error"), "{text:?}");
    check_plain(&text);
    let mut plain = String::new();
    let coloured = diagnostic.render(true);
    for (i, part) in coloured.split("\u{1b}[").enumerate() {
        let end = if i == 0 { 0 } else { part.find('m').expect("the end of a colour") + 1 };
        assert!(part[..end].trim_end_matches('m').chars().all(|c| c.is_ascii_digit() || c == ';'), "{coloured:?}");
        plain.push_str(&part[end..]);
    }
    assert_eq!(plain, text);
}

/// A text has lines and tabs, and nothing else that controls a terminal.
pub fn check_plain(text: &str) {
    let wrong = text.chars().find(|&c| c.is_control() && !matches!(c, '\n' | '\t'));
    assert!(wrong.is_none(), "{wrong:?} in {text:?}");
}
