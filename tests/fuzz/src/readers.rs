//! Files of every format with any content, read by every function that reads them.

use super::arguments::option_map;
use super::choices::Choices;
use super::library::library;
use super::trial::Trial;

/// Files of a format.
struct Reader {
    /// The name of the file, or of one in a folder; `$folder` stands in front of it.
    file: &'static str,
    /// Scripts that read it, in which `FILE` is that name and `OPTIONS` a map of options of `io::table`.
    ways: &'static [&'static str],
}

/// What is done with data.
const USED: &str = "
    if type_of(d) == \"Dataset\" {
        print(d); print(d.shape); print(d.mean); print(d.variance); print(d.labels);
        print(d.sample(3, 1));
        let n = d.normalise(\"coordinate\");
        let s = sample(score::exact(process::passive(), d), #{ count: 2, steps: 2 });
        print(s);
    } else { print(d); }
";

const TABLES: &[&str] = &[
    "let d = io::read(FILE);",
    "let d = io::table(FILE, OPTIONS); print(d.values); print(d.names); print(d.labels); print(d.notes);",
    "let d = dataset::from_file(FILE);",
    "let d = dataset::from_file(FILE, OPTIONS);",
];
const ARRAYS: &[&str] = &[
    "let d = io::read(FILE);",
    "let d = io::table(FILE);",
    "let d = dataset::from_file(FILE);",
    "let d = io::read(FILE, \"x\");",
];
const MOLECULES: &[&str] = &[
    "let d = dataset::dihedrals(FILE);",
    "let d = dataset::dihedrals(FILE, #{ atoms: [[0, 1, 2, 3]] });",
    "let d = dataset::dihedrals(FILE, FILE, #{ skip: 1, every: 2 });",
];

/// All readers; new ones come last, since the first byte of a kept input is a place in the list.
const READERS: &[Reader] = &[
    Reader { file: "a.csv", ways: TABLES },
    Reader { file: "a.txt", ways: TABLES },
    Reader { file: "a.tsv", ways: TABLES },
    Reader { file: "a.friction", ways: TABLES },
    Reader { file: "a.npy", ways: ARRAYS },
    Reader { file: "a.npz", ways: ARRAYS },
    Reader {
        file: "a.json",
        ways: &["let d = io::read(FILE);", "let d = io::read(FILE); io::write(folder + \"b.json\", d);"],
    },
    Reader {
        file: "a.safetensors",
        ways: &["let d = score::load(FILE);", "let d = score::load(FILE, process::active());"],
    },
    Reader { file: "a.pdb", ways: MOLECULES },
    Reader { file: "a.gro", ways: MOLECULES },
    Reader { file: "a.xtc", ways: MOLECULES },
    Reader { file: "a.gsd", ways: MOLECULES },
    Reader {
        file: "a.idx",
        ways: &["let d = dataset::idx(FILE);", "let d = dataset::idx(FILE, FILE);", "let d = dataset::idx(FILE, #{});"],
    },
    Reader {
        file: "test_batch.bin",
        ways: &["let d = dataset::cifar10(folder, #{ part: \"test\" });", "let d = dataset::cifar10(folder);"],
    },
    Reader {
        file: "pictures/a.png",
        ways: &[
            "let d = dataset::images(folder + \"pictures\");",
            "let d = dataset::images(folder + \"pictures\", #{ size: [3, 2], gray: true });",
        ],
    },
    Reader { file: "pictures/a.jpg", ways: &["let d = dataset::images(folder + \"pictures\");"] },
    Reader {
        file: "run/step-000002.safetensors",
        ways: &["
            let d = dataset::diamond();
            let m = score::mlp(process::active(), d, #{ hidden: [3, 2], seed: 1 });
            train(m, d, #{ steps: 4, batch: 4, checkpoint: folder + \"run\", every: 2, resume: true });
        "],
    },
    Reader {
        file: ".tumble/b.csv.json",
        ways: &["let d = ones([2]); d.save(folder + \"b.csv\");", "let d = io::read(folder + \"a.csv\");"],
    },
    Reader { file: "part.rhai", ways: &["import folder + \"part\" as part; let d = part::f(1);"] },
];

/// Bytes in front of the content: reader, way, and choices of options.
const HEAD: usize = 10;

/// The target.
pub fn run(bytes: &[u8]) {
    let (head, content) = bytes.split_at(HEAD.min(bytes.len()));
    let choices = &mut Choices::new(head);
    let reader = choices.one(READERS);
    let way = choices.one(reader.ways);
    let trial = Trial::default();
    let path = trial.folder().join(reader.file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    if reader.file.starts_with(".tumble") {
        // What the record is of.
        std::fs::write(trial.folder().join("b.csv"), "1\n").unwrap();
    }
    let table = library().calls.iter().find(|call| call.name == "io::table").expect("there is `io::table`");
    let options = option_map(choices, table.entry.options(), 3);
    let file = format!("(folder + {:?})", reader.file);
    let script = way.replace("FILE", &file).replace("OPTIONS", &options);
    trial.run(&format!("{script}{USED}"));
}
