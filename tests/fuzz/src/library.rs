//! What scripts can call, from the catalog of the program, so that new functions are fuzzed as they come; and texts to
//! begin with.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tumble::Runtime;
use tumble::lang::catalog::Entry;

/// A function or property of the language.
pub struct Call {
    /// With its module: `dataset::diamond`; of a property with its owner: `Dataset.mean`.
    pub name: String,
    /// Name and kind of the parameters of each form; of most kinds that take several things it is empty.
    pub forms: Vec<Vec<(String, String)>>,
    /// What is known of it.
    pub entry: Entry,
}

/// All that there is to choose from.
pub struct Library {
    /// What can be called.
    pub calls: Vec<Call>,
    /// Scripts: examples of the documentation, and those of the folders of the repository.
    pub scripts: Vec<String>,
}

/// The library; made once.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let runtime = Runtime::new();
        // `sleep` only takes time.
        let calls: Vec<Call> = runtime.catalog().entries().filter(|entry| entry.name != "sleep").map(call).collect();
        let examples = calls.iter().flat_map(|call| call.entry.examples());
        let folders = ["tests/hostile", "tests/language", "tests/errors", "stdlib/process", "stdlib/tools"];
        let files = folders.iter().flat_map(|folder| files(&top().join(folder)));
        let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "rhai"));
        let scripts = examples.chain(files.map(|path| std::fs::read_to_string(path).unwrap())).collect();
        Library { calls, scripts }
    })
}

/// The top of the repository, above the crate that this is compiled in.
pub fn top() -> PathBuf {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.into_iter().find(|folder| folder.join("stdlib").is_dir()).expect("it lies in the repository").to_owned()
}

/// The files of a folder in the order of their names.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn call(entry: &Entry) -> Call {
    let parameters = |form: &String| {
        let inner = form.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
        let parts = inner.split(", ").filter(|part| !part.is_empty());
        parts.map(|part| part.split_once(": ").unwrap_or((part, ""))).map(|(a, b)| (a.into(), b.into())).collect()
    };
    Call { name: entry.name.clone(), forms: entry.forms.iter().map(parameters).collect(), entry: entry.clone() }
}
