//! What a prompt asks a session: its texts, its imports, the members of its values.

use std::path::{Path, PathBuf};

use rhai::Map;

use super::{Runtime, Value};
use crate::data::Dataset;
use crate::lang::builtins::plot::Picture;
use crate::lang::builtins::score::Score;
use crate::lang::show::{self, Frame};
use crate::lang::standard;
use crate::lang::surroundings::set_task;
use crate::process::Process;
use crate::sample::State;

/// Bytes of a table that is read for its first line, and among which that is looked for.
const LARGEST_TABLE: u64 = 1 << 26;
const LONGEST_HEADER: usize = 1 << 16;

impl Runtime {
    /// Names and values of all variables, oldest first.
    pub fn variables(&self) -> Vec<(String, Value)> {
        self.scope.iter().map(|(name, _, value)| (name.to_owned(), value)).collect()
    }

    /// The keys of a map, the names of the blocks of a `State`; nothing of any other value.
    pub fn keys(&self, value: &Value) -> Vec<String> {
        match value.read_lock::<Map>() {
            Some(map) => map.keys().map(ToString::to_string).collect(),
            None => value.read_lock::<State>().map(|state| state.names.clone()).unwrap_or_default(),
        }
    }

    /// The value of a key of a map.
    pub fn entry(&self, value: &Value, key: &str) -> Option<Value> {
        value.read_lock::<Map>()?.get(key).cloned()
    }

    /// The classes of data with labels, or of a score that is told classes; none of any other value.
    pub fn classes(&self, value: &Value) -> Vec<String> {
        if let Some(data) = value.read_lock::<Dataset>() {
            return data.classes().to_vec();
        }
        match value.read_lock::<Score>().map(|score| score.clone()) {
            Some(Score::Learned(model)) => model.basis().subject().classes().to_vec(),
            _ => Vec::new(),
        }
    }

    /// The parameters of a process with their values; none of any other value.
    pub fn parameters(&self, value: &Value) -> Vec<(String, f64)> {
        let process = value.read_lock::<Process>();
        process.map(|process| process.parameters().clone().into_iter().collect()).unwrap_or_default()
    }

    /// What the first line of a table names, in a file that may be read and is not large.
    pub fn columns(&self, file: &str) -> Vec<String> {
        let file = Path::new(file);
        if file.metadata().is_ok_and(|file| file.len() > LARGEST_TABLE) {
            return Vec::new();
        }
        let Ok(bytes) = self.host.peek(file) else { return Vec::new() };
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_HEADER)]);
        let Some(header) = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')) else {
            return Vec::new();
        };
        let names = header.split([',', ';', '\t']).map(|name| name.trim().trim_matches('"').to_owned());
        names.filter(|name| !name.is_empty() && name.parse::<f64>().is_err()).collect()
    }

    /// The user's name of a value's type.
    pub fn type_name(&self, value: &Value) -> String {
        match value.type_name() {
            "i64" => "whole number".to_owned(),
            "f64" => "number".to_owned(),
            "Fn" => "closure".to_owned(),
            "()" => "nothing".to_owned(),
            other => self.engine.map_type_name(other).to_owned(),
        }
    }

    /// A value as a prompt of `width` columns shows it: its text, and of tensors, data and samples what they look like.
    pub fn show(&self, value: &Value, width: usize) -> String {
        show::show(value, &Frame { width, task: &self.task, text: &|value| self.display(value) })
    }

    /// The figure that a value is, if it is one: the bytes of a PNG file, and its width and height on paper in mm.
    ///
    /// # Errors
    /// As [`Figure::png`](crate::plot::Figure::png).
    pub fn picture(&self, value: &Value) -> Option<crate::Result<(Vec<u8>, [f64; 2])>> {
        value.read_lock::<Picture>().map(|picture| picture.figure().png_with_size())
    }

    /// Names and texts: of what was run, the newest first, then of the modules.
    pub fn texts(&self) -> Vec<(String, String)> {
        self.sources.texts()
    }

    /// The names by which the session imported modules, with their files; the newest first.
    pub fn imports(&self) -> Vec<(String, PathBuf)> {
        let mut imports: Vec<(String, PathBuf)> = Vec::new();
        for (name, module) in self.global.scan_imports_raw() {
            let is_hidden = imports.iter().any(|(known, _)| *known == **name);
            if let Some(file) = module.id().filter(|_| !is_hidden) {
                imports.push((name.to_string(), PathBuf::from(file)));
            }
        }
        imports
    }

    /// The imports whose files, or those that they import, are no longer as they were read.
    pub fn changed_imports(&self) -> Vec<(String, PathBuf)> {
        let mut imports = self.imports();
        imports.retain(|(_, file)| !self.imported.is_fresh(&self.host, file));
        imports
    }

    /// The files of a module: of one of the standard library, or of the one imported by that name.
    pub fn files_of(&self, module: &str) -> Vec<String> {
        match self.imports().into_iter().find(|(name, _)| name == module) {
            Some((_, file)) => vec![file.display().to_string()],
            None => standard::standard_files(module).map(str::to_owned).collect(),
        }
    }

    /// The text of an imported module, as it was read.
    pub fn module_text(&self, module: &str) -> Option<String> {
        let (_, file) = self.imports().into_iter().find(|(name, _)| name == module)?;
        self.sources.module(&file.display().to_string())
    }

    /// Sets the threads of long computations; 0 takes as many as the machine has.
    ///
    /// # Errors
    /// When the operating system refuses the threads.
    pub fn set_threads(&mut self, threads: usize) -> crate::Result<()> {
        self.task = self.task.with_threads(threads)?;
        set_task(&mut self.engine, self.task.clone());
        Ok(())
    }

    /// The threads of long computations.
    pub fn threads(&self) -> usize {
        self.task.threads()
    }

    /// Says of an `import` without `as` that nothing of it can be called.
    pub(super) fn warn_of_nameless_imports(&self, text: &str) {
        for file in crate::lang::assist::nameless_imports(text) {
            let name = Path::new(&file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            self.task.warn(&format!(
                "`import \"{file}\"` gives the module no name to call it by; write import \"{file}\" as {name}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache by name only would give the old module, and the old one inside of another.
    #[test]
    fn what_has_changed_is_imported_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let script = folder.path().join("script").display().to_string();
        file("inner.rhai", "fn one() { 1 }");
        file("outer.rhai", "import \"inner\" as inner; fn two() { inner::one() + 1 }");
        let mut runtime = Runtime::new();
        let two = |runtime: &mut Runtime| {
            let text = "import \"outer\" as outer; outer::two()";
            runtime.run_named(&script, text).unwrap().cast::<i64>()
        };
        assert_eq!(two(&mut runtime), 2);
        assert!(runtime.changed_imports().is_empty());
        file("inner.rhai", "fn one() { 10 }");
        assert_eq!(runtime.changed_imports().len(), 1);
        assert_eq!(two(&mut runtime), 11);
        assert!(runtime.changed_imports().is_empty());
    }
}
