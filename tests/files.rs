//! Files that scripts write and read.

use std::sync::{Arc, Mutex};

use tumble::Runtime;
use tumble::task::{Progress, Report};

#[test]
fn scripts_write_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut tumble = Runtime::new();
    tumble.set("folder", format!("{}/", folder.path().display()));
    let script = r#"
        let x = dataset::diamond().sample(100, 1);
        for ending in ["npy", "npz", "csv", "tsv", "txt", "dat"] {
            let file = `${folder}x.${ending}`;
            x.save(file);
            assert_eq(io::read(file), x);
            assert_eq(dataset::from_file(file).shape, [2]);
        }
        let two = folder + "two.npz";
        io::write(two, #{ x: x, angles: [1, 2, 3] });
        assert_eq(io::read(two, "angles"), tensor([1, 2, 3]));
        assert_eq(dataset::from_file(two, "angles").mean, [2.0]);
        assert_fails(|| io::read(two), "name one of them");
        assert_fails(|| io::read(two, "angle"), "did you mean `angles`?");
        assert_fails(|| zeros([2, 2, 2]).save(folder + "cube.csv"), "reshape it, or use .npy");
        assert_fails(|| x.save(folder + "x.png"), "use .npy, .npz or .csv");
        assert_fails(|| io::read(folder + "x.npy", #{ skip: 1 }), "`skip` is for tables in text");
        assert_fails(|| io::read(two, #{ array: "angle" }), "did you mean `angles`?");
        assert_fails(|| io::write(folder + "x.npy", #{ x: x }), "use .npz for several");
        assert_fails(|| io::read(folder + "x.npu"), "use .npy, .npz or .csv");
        assert_fails(|| io::read(folder + "y.npy"), "did you mean `x.npy`?");
        assert_fails(|| io::write(folder + "x.csv/y.json", 1), "x.csv` is a file, not a folder");
        assert_fails(|| io::read(folder + "x.csv/y.npy"), "x.csv` is a file, not a folder");
        assert_fails(|| io::read("~/x.npy"), "the folder `~` does not exist");
        assert_fails(|| io::read(""), "the name is empty");
    "#;
    if let Err(error) = tumble.run(script) {
        panic!("{error}");
    }
}

/// Tables as other programs write them: what is not said is found out, and no row is lost.
#[test]
fn tables_of_other_programs() {
    let folder = tempfile::tempdir().unwrap();
    let mut tumble = Runtime::new();
    tumble.set("folder", format!("{}/", folder.path().display()));
    for (name, text) in [
        ("friction.A", "# units: real\n\n  3.904138445158e-4  4.6e-2\n -4.6e-2  1.5D-01\n"),
        ("excel.csv", "time;phi\r\n0,5;1,25\r\n1,5;-2,5\r\n"),
        ("iris.csv", "width,length,species\n1,2,setosa\n3,4,virginica\n5,6,setosa\n"),
        ("index.csv", ",x,y\n0,1.5,2.5\n1,3.5,4.5\n"),
        ("units.dat", "x y\nnm ps\n1 2\n3 4\n"),
        ("one.txt", "1.0 2.0\n"),
        ("large.csv", "1,2\n3,1e39\n"),
        ("gap.csv", "1,2\n3,\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let script = r#"
        // A matrix for a process keeps double precision.
        let a = io::table(folder + "friction.A").values;
        assert_eq(a, [[3.904138445158e-4, 4.6e-2], [-4.6e-2, 0.15]]);
        assert_eq(io::read(folder + "friction.A").shape, [2, 2]);
        let names = ["p", "s"];
        let drift = |s| {
            let m = #{};
            for i in 0..2 { m[names[i]] = -(a[i][0] * s.p + a[i][1] * s.s); }
            m
        };
        let p = sde(#{ state: names, drift: drift, noise: |s| #{ p: 0.1, s: 1 }, horizon: 1 });
        assert_eq(p.kind, "linear");
        // A C + C A' = G G' has C = [[..]] with trace condition a11 C11 + a12 C12 = 0.01 / 2.
        let c = p.stationary();
        assert_near(a[0][0] * c[0][0] + a[0][1] * c[0][1], 0.005, 1e-12);

        assert_fails(|| io::read(folder + "excel.csv"), "line 2, field 1 (`time`) is `0,5`, not a number");
        assert_eq(io::read(folder + "excel.csv", #{ decimal: "," }), tensor([[0.5, 1.25], [1.5, -2.5]]));
        assert_eq(io::read(folder + "excel.csv", #{ decimal: ",", columns: ["phi"] }), tensor([[1.25], [-2.5]]));
        assert_fails(|| io::read(folder + "excel.csv", #{ decimal: ",", columns: ["phy"] }), "did you mean `phi`?");
        assert_fails(|| io::read(folder + "excel.csv", #{ columns: 1 }), "`columns` must be an array of names");

        assert_fails(|| io::read(folder + "iris.csv"), "labels: \"species\"");
        let d = dataset::from_file(folder + "iris.csv", #{ labels: "species" });
        assert_eq(d.labels, ["setosa", "virginica", "setosa"]);
        assert_eq([d.columns.len, d.normalise("coordinate").columns[1]], [2, "length"]);
        assert(`${d}`.contains(`: 3 points of ${d.columns[0]}, length, datum of shape [2]`));
        assert_eq([d.shape, d.mean], [[2], [3.0, 4.0]]);
        assert(`${d}`.ends_with(", 2 labels"));
        let t = io::table(folder + "iris.csv", #{ labels: -1, columns: [1] });
        assert_eq(t.names, ["length"]);
        assert_eq(t.labels[1], "virginica");
        assert_eq(t.values, [[2.0], [4.0], [6.0]]);

        assert(io::table(folder + "index.csv").notes[0].contains("counts the rows"));
        assert_fails(|| io::read(folder + "units.dat"), "skip: 2 leaves out");
        assert_eq(io::read(folder + "units.dat", #{ skip: 2 }), tensor([[1, 2], [3, 4]]));
        assert_eq(io::read(folder + "one.txt"), tensor([[1, 2]]));

        assert_fails(|| io::read(folder + "large.csv"), "row 1, column 1 is 1e39, and single precision ends at 3.4e38");
        assert_eq(io::table(folder + "large.csv").values[1][1], 1e39);
        assert_fails(|| dataset::from_file(folder + "gap.csv"), "line 2, field 2 is empty");
    "#;
    if let Err(error) = tumble.run(script) {
        panic!("{error}");
    }
}

/// Keeps the warnings.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn update(&self, _: &Report) {}
    fn finish(&self, _: &Report) {}
    fn warn(&self, warning: &str) {
        self.0.lock().unwrap().push(warning.to_owned());
    }
}

/// What may be meant otherwise, and what single precision loses, is said where the file is read.
#[test]
fn what_may_be_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let heard = Arc::new(Heard::default());
    let mut tumble = Runtime::builder().progress(heard.clone()).build().unwrap();
    tumble.set("file", folder.path().join("x.csv").display().to_string());
    for (text, warning) in [
        ("2019,2020\n1.5,2.5\n", "line 1 (2019, 2020) is taken as data"),
        (",x,y\n0,1.5,2.5\n1,3.5,4.5\n", "the first column has no name and counts the rows"),
        ("step,x\n16777217,0.5\n16777219,0.25\n", "column 0 (`step`) has whole numbers beyond 16_777_216"),
        ("1e-50,1\n2e-50,2\n", "column 0 has 1e-50, which is 0 in single precision"),
        ("x,y\n10000000,1\n10000000.1,2\n", "column 0 (`x`) has the mean 10_000_000.05"),
    ] {
        for call in ["io::read(file)", "dataset::from_file(file)"] {
            std::fs::write(folder.path().join("x.csv"), text).unwrap();
            drop(tumble.run(call).unwrap_or_else(|error| panic!("{error}")));
            let said = std::mem::take(&mut *heard.0.lock().unwrap());
            assert!(said.len() == 1 && said[0].contains(warning), "{text:?}: {said:?}");
        }
    }
    std::fs::write(folder.path().join("x.csv"), "x,y\n1,2.5\n3,4.5\n").unwrap();
    drop(tumble.run("io::read(file)").unwrap_or_else(|error| panic!("{error}")));
    assert!(heard.0.lock().unwrap().is_empty());
}

/// Numbers of a script that a tensor has not.
#[test]
fn what_tensors_lose_is_said() {
    let heard = Arc::new(Heard::default());
    let mut tumble = Runtime::builder().progress(heard.clone()).build().unwrap();
    for (call, warning) in [
        ("tensor([1, 16777217])", "`values` has whole numbers beyond 16_777_216"),
        ("full(3, 16777217)", "16_777_217 became 16_777_216"),
        ("tensor([[1, 1e-50], [2, 2e-50]])", "column 1 of `values` has 1e-50, which is 0"),
        (
            "let x = []; for i in 0..100 { x.push(1e7 + 0.1 * (i % 10)); } tensor(x).std()",
            "a standard deviation of 0.28723",
        ),
        ("let t = zeros(2); t[0] = 16777217", "`value` has whole numbers"),
    ] {
        drop(tumble.run(call).unwrap_or_else(|error| panic!("{error}")));
        let said = std::mem::take(&mut *heard.0.lock().unwrap());
        assert!(said.len() == 1 && said[0].contains(warning), "{call}: {said:?}");
    }
    for call in ["tensor([1e7, 2e7, 0.1])", "tensor([1, 1e-50])", "tensor([[1e7], [3e7]])", "arange(5) + 16777217"] {
        drop(tumble.run(call).unwrap_or_else(|error| panic!("{error}")));
    }
    assert!(heard.0.lock().unwrap().is_empty());
}

/// Models written before anything in them was renamed, of a coupled process with a kernel and of a nonlinear one. The
/// states at the end of their flows are those of the program that wrote them.
#[test]
fn old_model_files_load() {
    let mut tumble = Runtime::new();
    tumble.set("folder", format!("{}/tests/models/", env!("CARGO_MANIFEST_DIR")));
    let script = r#"
        let is_near = |found, known| assert_near(abs(found - tensor(known)).max(), 0, 1e-3);
        let kernel = score::load(folder + "kernel.safetensors");
        let follow = #{ steps: 20, method: "heun", grid: "uniform" };
        let s = perturb(kernel.process, [[0.3, -0.4], [-0.5, 0.2]], 0.5, 1);
        s.x = tensor([[0.3, -0.4], [-0.5, 0.2]]);
        s.v = tensor([[0.5, 0.8], [-0.1, -1.2]]);
        let s = reverse(kernel, s, follow);
        is_near.call(s.x, [[0.018232, -0.72144], [-0.35047, 0.71084]]);
        is_near.call(s.v, [[0.40811, -0.39181], [-0.66067, 0.14175]]);
        let paths = score::load(folder + "paths.safetensors");
        let s = simulate(paths.process, [[0.9], [-0.7]], #{ steps: 5, end: 0.5 });
        s.x = tensor([[0.9], [-0.7]]);
        is_near.call(reverse(paths, s, follow).x, [[1.0013], [-0.93276]]);
    "#;
    if let Err(error) = tumble.run(script) {
        panic!("{error}");
    }
}
