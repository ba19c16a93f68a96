//! What scripts may touch when the command runs them, from outside.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A working directory `work` beside other folders, of which no script was told.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        for folder in ["work", "outside"] {
            std::fs::create_dir(scene.path(folder)).unwrap();
        }
        scene.file("outside/secret.csv", "1,2\n");
        scene
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the command in `work`; what takes more than some seconds hangs.
    fn tumble(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
        command.args(arguments).current_dir(self.path("work")).env("TUMBLE_HISTORY", "");
        finished(command)
    }

    /// What `code` prints under some flags.
    fn allowed(&self, flags: &[&str], code: &str) -> String {
        let output = self.tumble(&[flags, &["-e", code]].concat());
        assert!(output.status.success(), "{flags:?} {code}: {}", error(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Why `code` fails under some flags, with paths from the scene.
    fn refused(&self, flags: &[&str], code: &str) -> String {
        let output = self.tumble(&[flags, &["-e", code]].concat());
        assert_eq!(output.status.code(), Some(1), "{flags:?} {code}: {}", error(&output));
        let top = self.0.path().canonicalize().unwrap();
        error(&output).replace(&format!("{}/", top.display()), "/scene/")
    }
}

fn finished(mut command: Command) -> Output {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("{command:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[cfg(unix)]
fn link(scene: &Scene, to: &str, name: &str) {
    std::os::unix::fs::symlink(to, scene.path(name)).unwrap();
}

#[cfg(unix)]
#[test]
fn reading_ends_at_the_working_directory() {
    let scene = Scene::new();
    let outside = scene.path("outside").display().to_string();
    let secret = format!("{outside}/secret.csv");
    link(&scene, "../outside/secret.csv", "work/link.csv");
    link(&scene, &outside, "work/folder");
    link(&scene, "loop.csv", "work/loop.csv");
    scene.file("work/own.csv", "3,4\n");
    scene.file("work/.hidden.csv", "5,6\n");
    link(&scene, &scene.path("work/own.csv").display().to_string(), "work/inside.csv");
    let allowed = |flags: &[&str], file: &str| scene.allowed(flags, &format!("print(io::read(\"{file}\").sum());"));
    let refused = |flags: &[&str], file: &str| scene.refused(flags, &format!("io::read(\"{file}\")"));
    for file in ["own.csv", "./own.csv", "inside.csv", "../work/own.csv"] {
        assert_eq!(allowed(&[], file), "7.0\n", "{file}");
    }
    let roads = [secret.as_str(), "../outside/secret.csv", "link.csv", "folder/secret.csv", "folder/none.csv", "/etc"];
    for file in roads {
        assert!(refused(&[], file).contains("outside of what scripts may read (the working directory)"), "{file}");
        assert!(refused(&["--allow-write", "own.csv"], file).contains("(the working directory, `own.csv`)"), "{file}");
    }
    assert!(refused(&[], "link.csv").contains("leads to `/scene/outside/secret.csv`, which is outside"));
    assert!(refused(&[], "loop.csv").contains("it is a link that leads nowhere"));
    assert!(refused(&[], ".hidden.csv").contains("`--allow-read .hidden.csv` allows it"));
    assert_eq!(allowed(&["--allow-read", ".hidden.csv"], ".hidden.csv"), "11.0\n");
    for flags in [&["--allow-read", &outside][..], &["--allow-read", &secret], &["--allow-all"]] {
        for file in &roads[..4] {
            assert_eq!(allowed(flags, file), "3.0\n", "{flags:?} {file}");
        }
    }
    // What is asked for is not there where nobody may look: that must not look the same.
    assert!(scene.refused(&[], &format!("io::exists(\"{secret}\")")).contains("outside"));
    assert_eq!(scene.allowed(&["--allow-read", &outside], &format!("io::exists(\"{secret}\")")), "true\n");
}

#[cfg(unix)]
#[test]
fn a_script_reads_beside_itself() {
    let scene = Scene::new();
    scene.file("outside/script.rhai", "import \"part\" as part; print(part::two + io::read(part::data).sum());");
    let data = format!("export const two = 2; export const data = \"{}\";", scene.path("outside/secret.csv").display());
    scene.file("outside/part.rhai", &data);
    let output = scene.tumble(&["run", "../outside/script.rhai"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "5.0\n", "{}", error(&output));
    // Reading is not writing.
    scene.file("outside/writing.rhai", "io::write(\"../outside/new.txt\", \"text\");");
    let problem = error(&scene.tumble(&["run", "../outside/writing.rhai"]));
    assert!(problem.contains("outside of what scripts may write (the working directory)"), "{problem}");
    // Nor does a module reach further than its script.
    scene.file("work/main.rhai", "import \"../outside/part\" as part;");
    let problem = error(&scene.tumble(&["run", "main.rhai"]));
    assert!(problem.contains("outside of what scripts may read (the working directory, the folder"), "{problem}");
    assert!(problem.contains("--allow-read"), "{problem}");
}

#[cfg(unix)]
#[test]
fn only_files_are_read_and_written() {
    let scene = Scene::new();
    assert!(Command::new("mkfifo").arg(scene.path("work/pipe.csv")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(scene.path("work/socket.csv")).unwrap();
    std::fs::create_dir(scene.path("work/folder.csv")).unwrap();
    link(&scene, "pipe.csv", "work/pipe.rhai");
    link(&scene, "/dev/zero", "work/zero.csv");
    link(&scene, "/dev/full", "work/full.csv");
    let others = [
        ("pipe", "a named pipe"),
        ("socket", "a socket"),
        ("folder", "a folder"),
        ("zero", "a device"),
        ("full", "a device"),
    ];
    for (name, kind) in others {
        for code in [
            format!("io::read(\"{name}.csv\")"),
            format!("score::load(\"{name}.csv\")"),
            format!("io::write(\"{name}.csv\", [1, 2])"),
            format!("plot::animate([[[0, 0]]], #{{ file: \"{name}.csv\" }})"),
        ] {
            let problem = scene.refused(&["--allow-all"], &code);
            assert!(problem.contains(kind) || problem.contains("is none of"), "{code}: {problem}");
        }
    }
    assert!(scene.refused(&["--allow-all"], "import \"pipe\" as pipe;").contains("a named pipe"));
    assert!(scene.refused(&[], "io::read(\"zero.csv\")").contains("leads to `/dev/zero`, which is outside"));
}

/// What the user names is no script's choice.
#[cfg(unix)]
#[test]
fn the_script_itself_may_come_from_a_pipe() {
    let tumble = env!("CARGO_BIN_EXE_tumble");
    for line in [
        format!("echo 'print(1)' | {tumble} run /dev/stdin"),
        format!("echo 'print(1)' | {tumble} run -"),
        format!("{tumble} run <(echo 'print(1)')"),
        format!("f=$(mktemp) && echo 'print(1)' > $f && {tumble} run /dev/stdin < $f; rm $f"),
    ] {
        let mut command = Command::new("bash");
        command.args(["-c", &line]);
        let output = finished(command);
        assert_eq!(output.stdout, b"1\n", "{line}: {}", error(&output));
    }
    let mut command = Command::new(tumble);
    command.args(["run", "/dev/zero"]);
    assert!(error(&finished(command)).contains("it goes on beyond 64 MiB"));
}

#[test]
fn files_of_others_are_not_replaced() {
    let scene = Scene::new();
    let writing = |text: &str| format!("io::write(\"result.txt\", \"{text}\");");
    scene.file("work/result.txt", "mine");
    for code in [&writing("1"), "step(\"result.txt.json\", #{}, || 1); io::write(\"result.txt\", \"1\");"] {
        let problem = scene.refused(&[], code);
        assert!(problem.contains("it exists, and was not written by tumble"), "{problem}");
        assert!(problem.contains("`--allow-write result.txt` replaces it"), "{problem}");
        assert_eq!(scene.text("work/result.txt"), "mine");
    }
    // Of another file, told or not, it is the same.
    assert!(scene.refused(&["--allow-write", "result.tx"], &writing("1")).contains("was not written"));
    scene.allowed(&["--allow-write", "result.txt"], &writing("1"));
    scene.allowed(&[], &writing("2"));
    assert_eq!(scene.text("work/result.txt"), "2");
    scene.file("work/result.txt", "3");
    assert!(scene.refused(&[], &writing("4")).contains("it was changed since it was written by tumble"));
    assert_eq!(scene.text("work/result.txt"), "3");
    for flags in [&["--allow-write", "."][..], &["--allow-all"]] {
        scene.file("work/result.txt", "mine");
        scene.allowed(flags, &writing("5"));
        scene.allowed(&[], &writing("6"));
    }
    // No part of a file is left behind, and no record can be forged.
    let mut names: Vec<_> =
        std::fs::read_dir(scene.path("work")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".tumble", "result.txt", "result.txt.json"]);
    let record: serde_json::Value = serde_json::from_str(&scene.text("work/.tumble/result.txt.json")).unwrap();
    assert_eq!(record["size"], 1);
    assert_eq!(record["sha256"], "e7f6c011776e8db7cd330b54174fd76f7d0216b612387a5ffcfb81e6f0919683");
    for flags in [&["--allow-write", ".tumble"][..], &["--allow-all"]] {
        let problem = scene.refused(flags, "io::write(\".tumble/forged.txt.json\", #{})");
        assert!(problem.contains("records of what was written"), "{problem}");
    }
}

#[test]
fn scripts_are_not_written() {
    let scene = Scene::new();
    let new = "io::write(\"new.rhai\", \"1\");";
    for flags in [&[][..], &["--allow-write", "."], &["--allow-all"]] {
        let problem = scene.refused(flags, new);
        assert!(problem.contains("scripts write no scripts"), "{problem}");
        assert!(problem.contains("`--allow-write new.rhai` allows it"), "{problem}");
    }
    scene.allowed(&["--allow-write", "new.rhai"], new);
    // Whatever it is called.
    scene.file("work/job.txt", "io::write(\"job.txt\", \"0\");");
    let problem = error(&scene.tumble(&["--allow-all", "run", "job.txt"]));
    assert!(problem.contains("scripts write no scripts"), "{problem}");
    // The prompt's user may, but for the files of others.
    let save = |name: &str| {
        let mut command = Command::new("sh");
        let line = format!("printf '1 + 1\\n:save {name}\\n' | {}", env!("CARGO_BIN_EXE_tumble"));
        command.args(["-c", &line]).current_dir(scene.path("work"));
        error(&finished(command))
    };
    assert_eq!(save("session.rhai"), "");
    // Nor for those of another session.
    scene.file("work/mine.rhai", "1");
    for name in ["session.rhai", "mine.rhai"] {
        assert!(save(name).contains("is there already, and not of this session"), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn writing_ends_at_the_working_directory() {
    let scene = Scene::new();
    let outside = scene.path("outside").display().to_string();
    let new = format!("{outside}/new.txt");
    link(&scene, &outside, "work/folder");
    link(&scene, &new, "work/link.txt");
    std::fs::create_dir(scene.path("work/inner")).unwrap();
    let write = |file: &str| format!("io::write(\"{file}\", \"text\");");
    for file in [new.as_str(), "../outside/new.txt", "folder/new.txt"] {
        let problem = scene.refused(&[], &write(file));
        assert!(problem.contains("outside of what scripts may write (the working directory)"), "{file}: {problem}");
        assert!(!scene.path("outside/new.txt").exists());
    }
    assert!(scene.refused(&[], &write("link.txt")).contains("it is a link that leads nowhere"));
    for file in [".bashrc", ".git/hook", "inner/.x/y.txt", "."] {
        assert!(scene.refused(&[], &write(file)).contains("cannot write"), "{file}");
    }
    scene.allowed(&[], &write("inner/new.txt"));
    scene.allowed(&["--allow-write", ".config"], &write(".config"));
    // A file that is not there yet, and a folder: what may be written may be read.
    scene
        .allowed(&["--allow-write", &new], &format!("{} print(io::read(\"{new}\"))", write(&new)).replace("text", "1"));
    assert!(scene.refused(&["--allow-write", &new], &write(&format!("{outside}/other.txt"))).contains("outside of"));
    scene.allowed(&["--allow-write", &outside], &write(&format!("{outside}/other.txt")));
}

/// As users see them.
#[cfg(unix)]
#[test]
fn refusals_name_the_way_out() {
    let scene = Scene::new();
    scene.file("work/mine.csv", "1,2\n");
    link(&scene, "/etc/passwd", "work/users.csv");
    assert!(Command::new("mkfifo").arg(scene.path("work/pipe.csv")).status().unwrap().success());
    let cases = [
        "io::read(\"/etc/passwd\")",
        "io::read(\"users.csv\")",
        "io::read(\"pipe.csv\")",
        "io::read(\".secret.csv\")",
        "io::write(\"/etc/a b.csv\", [1, 2])",
        "io::write(\"mine.csv\", [1, 2])",
        "io::write(\"mine.rhai\", \"1\")",
    ];
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("errors");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _guard = settings.bind_to_scope();
    insta::assert_snapshot!("permissions", cases.map(|code| scene.refused(&[], code)).join("\n"));
}

/// Whoever edits a file while a script or a prompt goes on has it. Seen to be overwritten.
#[test]
fn records_need_their_folder() {
    let scene = Scene::new();
    scene.file("work/.tumble", "");
    assert!(scene.refused(&[], "io::write(\"a.json\", 1)").contains("`.tumble` beside it is no folder"));
    assert!(!scene.path("work/a.json").exists());
}

#[test]
fn an_edit_between_two_writes_is_kept() {
    let scene = Scene::new();
    let code = "io::write(\"a.csv\", [[1, 2]]); print(1); \
                while !io::exists(\"go\") { sleep(0.01); } io::write(\"a.csv\", [[3, 4]]);";
    let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
    command.args(["-e", code]).current_dir(scene.path("work")).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 2]).unwrap();
    scene.file("work/a.csv", "mine\n");
    scene.file("work/go", "");
    let output = child.wait_with_output().unwrap();
    assert!(error(&output).contains("it was changed since it was written by tumble"), "{}", error(&output));
    assert_eq!(scene.text("work/a.csv"), "mine\n");
}

/// A process that is killed when the record of the new file is there and the file is not leaves the old file, which is
/// its own. Seen to be refused, in half of such moments.
#[test]
fn a_file_is_known_beside_the_record_of_its_successor() {
    let scene = Scene::new();
    let write = |values: &str| scene.allowed(&[], &format!("io::write(\"a.csv\", {values});"));
    write("[[1, 2]]");
    let old = scene.text("work/a.csv");
    write("[[3, 4], [5, 6]]");
    scene.file("work/a.csv", &old);
    write("[[7, 8]]");
    assert_eq!(scene.text("work/a.csv"), "7,8\n");
}

/// The kernel's wall stands behind the program's own, in every thread that runs scripts.
#[cfg(target_os = "linux")]
#[test]
fn the_kernel_stands_behind() {
    let threads = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumble"));
        command.args(arguments).args(["--threads", "2", "-e", "print(1); loop {}"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 2]).unwrap();
        let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
        let walled = tasks.filter(|task| {
            let status = std::fs::read_to_string(Path::new(&task.as_ref().unwrap().path()).join("status")).unwrap();
            status.contains("NoNewPrivs:\t1")
        });
        let count = walled.count();
        child.kill().unwrap();
        child.wait().unwrap();
        count
    };
    // The one that runs the script, and two for computations.
    assert_eq!(threads(&[]), 3);
    assert_eq!(threads(&["--allow-all"]), 0);
}
