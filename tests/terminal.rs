//! The command on a terminal: what scripts, files and models say controls it in no way, and no keys break the prompt.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A command on a terminal of its own.
struct Session {
    child: Child,
    keyboard: File,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Session {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let (mut master, mut slave) = (-1, -1);
        // SAFETY: all pointers are of variables, or null where that is allowed.
        let result = unsafe { libc::openpty(&mut master, &mut slave, std::ptr::null_mut(), std::ptr::null(), &size) };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
        // SAFETY: both were just opened, and nobody else has them.
        let (master, slave) = unsafe { (File::from_raw_fd(master), File::from_raw_fd(slave)) };
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
        // SAFETY: both calls are allowed between fork and exec. They make the terminal the one that Ctrl-C and a change
        // of size are told by.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(libc::STDIN_FILENO, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        for own in ["NO_COLOR", "COLORTERM", "TERM_PROGRAM", "KITTY_WINDOW_ID", "WT_SESSION", "TMUX", "STY"] {
            command.env_remove(own);
        }
        let child = command
            .args(["--threads", "1", "--limit", "time=1s"])
            .args(arguments)
            .current_dir(folder)
            .envs([("TUMBLE_HISTORY", ""), ("TERM", "xterm")])
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn()
            .unwrap();
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let (mut screen, kept) = (master.try_clone().unwrap(), shown.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error is the end: nobody has the terminal any more.
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                kept.lock().unwrap().extend(&buffer[..count]);
            }
        });
        Self { child, keyboard: master, shown }
    }

    /// Waits until something is shown.
    fn wait_for(&self, text: &str) {
        let is_shown = || String::from_utf8_lossy(&self.shown.lock().unwrap()).contains(text);
        while !is_shown() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Presses keys, and waits until `text` is shown, which is not what was typed.
    fn expect(&mut self, keys: &[u8], text: &str) -> String {
        let before = self.shown.lock().unwrap().len();
        assert!(self.press(keys), "the session ended by itself");
        self.wait_behind(before, text)
    }

    /// Gives the window another width, and waits until `text` is shown.
    fn resize(&self, columns: u16, text: &str) -> String {
        let before = self.shown.lock().unwrap().len();
        let size = libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the pointer is of a variable.
        assert_eq!(unsafe { libc::ioctl(self.keyboard.as_raw_fd(), libc::TIOCSWINSZ, &size) }, 0);
        self.wait_behind(before, text)
    }

    /// Waits until `text` is shown behind the first bytes, and returns all that is behind them.
    fn wait_behind(&self, bytes: usize, text: &str) -> String {
        let start = Instant::now();
        loop {
            let shown = String::from_utf8_lossy(&self.shown.lock().unwrap()[bytes..]).into_owned();
            if shown.contains(text) {
                return shown;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "no {text:?} in {shown:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Leaves, as a user would.
    fn leave(self) {
        let (status, shown) = self.end(&[b"\x03", b":quit\r"]);
        assert_eq!(status.code(), Some(0), "{shown}");
        check(&shown);
    }

    /// Presses keys; whether anybody listens.
    fn press(&mut self, keys: &[u8]) -> bool {
        self.keyboard.write_all(keys).is_ok()
    }

    /// The end of the command, which `keys` ask for again and again, and all that was shown.
    fn end(mut self, keys: &[&[u8]]) -> (ExitStatus, String) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                std::thread::sleep(Duration::from_millis(50));
                return (status, String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned());
            }
            if start.elapsed() > Duration::from_secs(60) {
                self.child.kill().unwrap();
                let shown = self.shown.lock().unwrap();
                panic!("does not end: {:?}", String::from_utf8_lossy(&shown[shown.len().saturating_sub(500)..]));
            }
            for keys in keys {
                self.press(keys);
                std::thread::sleep(Duration::from_millis(30));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A terminal of a script that trains, and one beside it that watches.
#[test]
fn a_training_is_watched_while_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let watching = Session::start(folder.path(), &["watch", "runs"]);
    watching.wait_for("no log of a training in `runs` yet, waiting");
    let script = "let d = dataset::diamond(); let m = score::mlp(process::active(), d, #{ hidden: [8] }); \
                  train(m, d, #{ steps: 20_000_000, interval: 1000, batch: 32, checkpoint: \"runs/a\" });";
    let mut training = Command::new(env!("CARGO_BIN_EXE_tumble"));
    let training = training.args(["-q", "--threads", "1", "-e", script]).current_dir(folder.path());
    let mut training = training.stderr(std::process::Stdio::null()).spawn().unwrap();
    watching.wait_for("runs/a: step ");
    watching.wait_for("loss by time");
    let before = watching.shown.lock().unwrap().len();
    // Drawn again, in the place of what was there.
    let again = watching.wait_behind(before, "runs/a: step ");
    assert!(again.contains("\u{1b}[1A") || again.contains("\u{1b}[2K"), "{again:?}");
    // In a narrow window no line is longer than it.
    watching.resize(30, "loss by time\r\n");
    // By then what was drawn for the old width has come.
    std::thread::sleep(Duration::from_secs(1));
    let before = watching.shown.lock().unwrap().len();
    let narrow = watching.wait_behind(before, "loss by time\r\n");
    let lines: Vec<_> =
        narrow.lines().filter(|line| line.contains(['█', '▁', ':']) && !line.contains('\u{1b}')).collect();
    assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() < 30), "{narrow:?}");
    watching.wait_for("q or Ctrl-C leaves");
    // SAFETY: the call reads no memory; the process is not waited for yet.
    assert_eq!(unsafe { libc::kill(training.id() as libc::pid_t, libc::SIGTERM) }, 0);
    watching.wait_for(", stopped");
    training.wait().unwrap();
    let (status, shown) = watching.end(&[b"q"]);
    assert_eq!(status.code(), Some(0), "{shown:?}");
    // Keys that come after the end are shown by the terminal.
    assert!(shown.trim_end_matches('q').ends_with("\r\n"), "{shown:?}");
    check(&shown);
}

/// What the program itself never writes: blinking, titles and the like, and what turns the direction of a line.
const FOREIGN: [&str; 5] = ["\u{1b}[5m", "\u{1b}]", "\u{1b}P", "\u{9b}", "\u{202e}"];

fn check(shown: &str) {
    assert!(!shown.contains("panicked"), "{shown}");
    for foreign in FOREIGN {
        assert!(!shown.contains(foreign), "{foreign:?} in {shown:?}");
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("\u{1b}[5mtable.csv"), "1,2\n3,9007199254740993\n").unwrap();
    std::fs::write(folder.path().join("doc.rhai"), "/// \u{1b}[5mBlinks.\nfn blinking(a) { a }\n").unwrap();
    folder
}

/// Seen to fail for each of them without `visible` in `cli/terminal.rs` and in `Diagnostic::render`.
#[test]
fn what_is_shown_controls_no_terminal() {
    let folder = folder();
    let process = "sde(#{ name: \"\\x1b[5mp\", state: [\"x\"], drift: |s, t, p| #{ x: -s.x }, \
                   noise: |s, t, p| #{ x: 1 }, horizon: 1 })";
    let cases = [
        // Prints, values, errors, warnings with names of files, names in processes, and what is written for debugging.
        ("print(\"\\x1b[5m\\x1b]0;title\\x07\")".to_owned(), "␛[5m␛]0;title␇"),
        ("\"\\u009b5m\"".to_owned(), "\\u{9b}5m"),
        ("throw \"\\x1b[5mred\"".to_owned(), "␛[5mred"),
        ("nothing(1); // \u{1b}[5m".to_owned(), "␛[5m"),
        ("io::read(\"\\x1b[5mnone.csv\")".to_owned(), "␛[5mnone.csv"),
        ("io::read(\"\\x1b[5mtable.csv\")".to_owned(), "warning: `␛[5mtable.csv`"),
        (process.to_owned(), "␛[5mp"),
        ("debug(\"\\x1b[5m\")".to_owned(), "5m"),
    ];
    for (code, expected) in cases {
        let (_, shown) = Session::start(folder.path(), &["-e", &code]).end(&[]);
        check(&shown);
        assert!(shown.contains(expected), "{code}: {shown:?}");
    }
}

const KEYS: [&[u8]; 52] = [
    b"\t",
    b"\r",
    b"\x03",
    b"\x1b[A",
    b"\x1b[B",
    b"\x1b[C",
    b"\x1b[D",
    b"\x1b[H",
    b"\x1b[F",
    b"\x7f",
    b"\x0b",
    b"\x15",
    b"\x17",
    b"\x19",
    b"\x12",
    b"\x01",
    b"\x05",
    b"\x0c",
    b"\x1b",
    b"\x1bb",
    b"\x1bd",
    b"\x16\x1b",
    b"\x14",
    b"\x1f",
    b"\x1b[3~",
    b"\x1b[200~a\x1b[5mb\x07\x1b]0;t\x07\x1b[201~",
    b"\x00",
    b"\xff",
    b"\xc3",
    b"\xe2\x88\x82",
    b"let x = ",
    b"1 + 2",
    b"process::active(#{ ",
    b"tau: ",
    b"\"",
    b"`${",
    b"}",
    b"{",
    b"(",
    b")",
    b":help ",
    b":vars",
    b":time ",
    b":load \"doc.rhai\"\r",
    b":help blinking\r",
    b":reset",
    b"import \"",
    b"print(\"\\x1b[5m\")\r",
    b"loop {}\r",
    b"/*",
    b"fn f(a) { a }",
    b"throw \"\\x1b]0;t\"\r",
];

/// Seen to fail with an end of the session at a byte that is no UTF-8, and with colours of what is pasted as it is.
#[test]
fn no_keys_break_the_prompt() {
    let folder = folder();
    let mut state = 1_u64;
    for _ in 0..4 {
        let mut session = Session::start(folder.path(), &["repl"]);
        // Before that the keys would go to the terminal itself.
        session.wait_for("> ");
        for _ in 0..60 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            assert!(session.press(KEYS[(state >> 33) as usize % KEYS.len()]), "the session ended by itself");
            std::thread::sleep(Duration::from_millis(5));
        }
        // Whatever is open, from a paste to a question, comes to its end, and then the session.
        let (status, shown) = session.end(&[b"\x1b[201~", b"n", b"\x03", b"\x03", b":quit\r"]);
        assert_eq!(status.code(), Some(0), "{shown}");
        check(&shown);
    }
}

fn prompt(folder: &Path) -> Session {
    let session = Session::start(folder, &["repl"]);
    session.wait_for("> ");
    session
}

#[test]
fn the_prompt_says_what_to_try_and_leads_around() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::start(folder.path(), &["repl"]);
    session.wait_for(":search wasserstein");
    session.wait_for(":tour");
    let mut session = session;
    session.expect(b":tour\r", "goes on to step 2");
    session.expect(b":tour\r", "goes on to step 3");
    session.expect(b":tour 7\r", "steps build on those before");
    session.expect(b"quit\r", "at the prompt :quit leaves");
    session.expect(b"?train\r", ":help train shows what it takes");
    session.leave();
}

#[test]
fn commands_do_what_help_says() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("library.rhai");
    std::fs::write(&library, "/// The first number.\nfn number() { 41 }").unwrap();
    let mut session = prompt(folder.path());
    session.expect(b":search sliced distance\r", "measure::sliced_wasserstein");
    session.expect(b":type [1]\r", "array");
    session.expect(b":time 6 * 7\r", "42");
    session.expect(b":set quiet on\r", "quiet on\r\n");
    session.expect(b":set threads 2\r", "threads 2\r\n");
    session.expect(b":set thread 2\r", "did you mean `threads`?");
    session.expect(b":set images\r", "may be auto, kitty, iterm, sixel, blocks, blocks256, none");
    session.expect(b":set images kitty\r", "images kitty\r\n");
    session.expect(b":help Process\r", "process::active(#{ tau: 0.5 })");
    session.expect(b"let row = tensor([1]);\r:help row\r", "Numbers in single precision along axes.");
    session.expect(b"fn twice(x) { 2 * x }\r:source twice\r", "// input");
    session.expect(b":source verify\r", "// stdlib/tools/verify.rhai, line");
    session.expect(b":source train\r", "is built in");
    session.expect(b":help save\r", "save(score: Score");
    session.expect(b"import \"library\" as library;\rlibrary::number() + 1\r", "42");
    std::fs::write(&library, "fn number() { 98 }").unwrap();
    session.expect(b":reload\r", "read again");
    session.expect(b"library::number() + 1\r", "99");
    session.expect(b":reload\r", "no module has changed");
    session.expect(b":vars\r", "ans  whole number");
    session.expect(b":save library.rhai\r", "error");
    assert_eq!(std::fs::read_to_string(&library).unwrap(), "fn number() { 98 }");
    session.expect(b"fn twice(x) { x + x }\r:save session.rhai\r", "inputs written to session.rhai");
    session.expect(b":reset\r:save session.rhai\r", "nothing to save");
    session.expect(b":run session.rhai\rtwice(50) + 100\r", "200");
    session.leave();
}

#[test]
fn values_show_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::start(folder.path(), &["repl", "--images", "kitty"]);
    session.wait_for("> ");
    session.expect(b"linspace(0, 99, 100)\r", "mean 49.5, standard deviation 28.866");
    session.expect(b"dataset::diamond()\r", "coordinate 0 from ");
    session.expect(b"[#{ tau: 0.5, name: \"a\" }, #{ tau: 1, name: \"b\" }]\r", "name  tau\r\n  \"a\"   0.5");
    // What a call still takes stands behind its bracket.
    session.expect(b"process::active().kernel(", "\x1b[2mt)\x1b[0m");
    session.expect(b"\x15hypot(3", "\x1b[2m, b: number)\x1b[0m");
    session.expect(b"\x15process::active().kernel(", "\x1b[2mt)\x1b[0m");
    session.expect(b"1)\r", "  cov ");
    let hidden = session.expect(b"linspace(0, 99, 100);\r41 + 1\r", "42\r\n");
    assert!(!hidden.contains("mean"), "{hidden}");
    let figure = session.expect(b"plot::scatter([ones([3, 2])])\r", "\x1b_Gm=0;");
    assert!(figure.contains("\x1b_Ga=T,f=100,q=2,c="), "{figure}");
    let silent = session.expect(b"plot::scatter([ones([3, 2])]);\r42 + 1\r", "43\r\n");
    assert!(!silent.contains("\x1b_G"), "{silent}");
    session.leave();
    let (_, refused) = Session::start(folder.path(), &["repl", "--images", "png"]).end(&[]);
    let refused = refused.split_whitespace().collect::<Vec<_>>().join(" ");
    let names = "`--images` is auto, kitty, iterm, sixel, blocks, blocks256 or none, got `png`";
    assert!(refused.contains(names), "{refused}");
}

#[test]
fn what_is_typed_ahead_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = prompt(folder.path());
    session.expect(b"sleep(0.2)\r30 + 12\r", "42");
    session.expect(b"print(1 + 2000); sleep(0.5)\r", "2001\r\n");
    // While it sleeps; nothing of it is echoed into what the computation shows.
    let shown = session.expect(b"300 * 2\r5 * 101\r", "505");
    assert!(shown.contains("600") && !shown.contains("300 * 2"), "{shown:?}");
    // Seen to go with what Ctrl-C stops.
    session.expect(b"print(2 + 2000); sleep(0.9)\r", "2002\r\n");
    session.expect(b"7 * 101\r\x03", "707");
    session.leave();
}

#[test]
fn interrupts_end_no_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = prompt(folder.path());
    session.expect(b"let kept = 41; print(1 + 2000); sleep(0.9)\r", "2001\r\n");
    session.expect(b"\x03\x03\x03", "interrupted");
    session.expect(b"kept + 1\r", "42");
    session.leave();
}

/// With the model that it left; seen to be refused for its weights. The session is a script that does the same; seen to
/// train to its end.
#[test]
fn a_stopped_training_goes_on_in_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::start(folder.path(), &["repl", "--limit", "time=60s"]);
    session.wait_for("> ");
    let model = b"let d = dataset::diamond(); let m = score::mlp(process::active(), d, #{ hidden: [8] }); 40 + 2\r";
    session.expect(model, "42\r\n");
    for resume in ["", ", resume: true"] {
        let train = format!("let r = train(m, d, #{{ steps: 20_000_000, batch: 8, checkpoint: \"runs\"{resume} }});\r");
        session.expect(train.as_bytes(), "train: step ");
        session.expect(b"\x03", "train: what is done is kept as ");
        session.expect(b"r.interrupted\r", "true\r\n");
    }
    let last = "`${m.steps} ${sample(m, #{ count: 10, steps: 5, seed: 1 }).x.sum()}`\r";
    let shown = session.expect(last.as_bytes(), "\"\r\n");
    let shown = shown.split('"').nth_back(1).unwrap();
    session.expect(b":save day.rhai\r", "2 trainings were stopped by hand: the script ends them after as many steps");
    session.leave();
    let script = std::fs::read_to_string(folder.path().join("day.rhai")).unwrap();
    assert_eq!(script.matches("// Was stopped by hand").count(), 2, "{script}");
    assert!(!script.contains("checkpoint") && script.contains(" - m.steps, total: 20000000"), "{script}");
    let mut again = Command::new(env!("CARGO_BIN_EXE_tumble"));
    let again = again.args(["-q", "run", "day.rhai"]).current_dir(folder.path()).output().unwrap();
    let printed = String::from_utf8(again.stdout).unwrap();
    assert_eq!(printed.lines().last(), Some(shown), "{printed}\n{script}");
}

/// What stands behind it is not done, and nobody overwrites a file with more than there was.
#[test]
fn what_follows_a_stopped_training_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::start(folder.path(), &["repl", "--limit", "time=60s"]);
    session.wait_for("> ");
    let train = "let d = dataset::diamond(); let m = score::mlp(process::active(), d, #{ hidden: [8] }); \
                 train(m, d, #{ steps: 20_000_000, batch: 8 }); save(m, \"m.safetensors\");\r";
    session.expect(train.as_bytes(), "train: step ");
    session.expect(b"\x03", "interrupted");
    session.expect(b"for i in 0..2 { train(m, d, #{ steps: 20_000_000, batch: 8 }); }\r", "train: step ");
    session.expect(b"\x03", "interrupted");
    session.expect(b":save day.rhai\r", "1 training was stopped by hand and cannot be ended so");
    session.leave();
    let script = std::fs::read_to_string(folder.path().join("day.rhai")).unwrap();
    assert!(!script.contains("save(m") && script.contains(", total: 20000000"), "{script}");
    let (_, refused) = Session::start(folder.path(), &["run", "--limit", "time=60s", "day.rhai"]).end(&[]);
    assert!(refused.contains("remove this line"), "{refused}");
}

#[test]
fn earlier_inputs_are_searched_by_their_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = prompt(folder.path());
    session.expect(b"let alpha = 7; alpha + 93\r", "100");
    session.expect(b"let beta = 6; beta + 294\r", "300");
    session.expect(b"let al\x1b[A\r", "100");
    session.expect(b"\x1b[A\x1b[A\r", "300");
    session.leave();
}

/// Seen to count columns of the old width from then on, when the signal came to another thread.
#[test]
fn a_line_is_drawn_for_the_window_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = prompt(folder.path());
    let sum = format!("1{}", " + 1".repeat(15));
    session.expect(sum.as_bytes(), "\u{1b}[63C");
    // Two columns of the prompt and 61 of the line are one line and 13 columns.
    session.resize(50, "\u{1b}[13C");
    session.expect(b" + 1", "\u{1b}[17C");
    session.expect(b"\r", "17\r\n");
    session.leave();
}

#[test]
fn an_unfinished_input_is_marked_and_indented() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = prompt(folder.path());
    session.expect(b"[40 + 2,\r", "·");
    session.expect(b"3]\r", "[42, 3]");
    session.expect(b"(7 +\r\r", "is not closed");
    // Seen to be told where nothing can come right any more.
    session.expect(b"sqrt(3]\r", "`]` cannot close `(`");
    session.expect(b"sqrt(\r3]\r", "`]` cannot close `(`");
    session.expect(b"1 + 2)\r", "`)` closes nothing");
    session.leave();
}

#[test]
fn tab_offers_what_works() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("points.csv"), "1,2\n3,4\n").unwrap();
    let mut session = prompt(folder.path());
    let shown = session.expect(b"\t", "process::");
    assert!(!shown.contains("sqrt"), "{shown:?}");
    session.expect(b"let p = process::passive();\rp.nam\t.len() + 93\r", "100");
    session.expect(b"let s = perturb(p, [1], 0.1, 1);\rs.\t", "nfe");
    session.expect(b"\x15io::read(\"poi\t", "points.csv");
    session.expect(b"\x15train(m, d, #{ schedule: \"\t", "cosine");
    session.expect(b"\x15process::passive().map(|p| p.kern\t", "p.kernel(");
    session.expect(b"\x15p.vary(#{ k\t", "k: ");
    session.expect(b"\x15dataset::from_array([1]).normalise(\"wh\t", "whole\"");
    session.expect(b"\x15:set qu\t off\r", "quiet off\r\n");
    session.leave();
}
