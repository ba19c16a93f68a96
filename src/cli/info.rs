//! `tumble info`.

use std::path::{Path, PathBuf};

use tumble::host::{Call, Provenance, Source};
use tumble::lang::diagnostics::visible;
use tumble::{Error, Host, artefact};

use super::terminal;

/// Says what is in each file and where it comes from.
pub(crate) fn files(host: &Host, files: &[PathBuf]) -> u8 {
    let described = files.iter().enumerate().map(|(place, path)| {
        if place > 0 {
            terminal::print("");
        }
        describe(host, path).map(|lines| lines.iter().for_each(|(name, text)| terminal::print(&row(name, text))))
    });
    let failed = described.filter_map(Result::err).map(|error| terminal::report(&error.into()));
    failed.max().unwrap_or_default()
}

/// Columns of the names.
const NAMES: usize = 12;

/// One line: texts are the file's, and must not pass for other lines.
fn row(name: &str, text: &str) -> String {
    format!("{name:NAMES$} {}", visible(text).replace('\n', "␊"))
}

/// Arguments as a shell would take them again.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_=.,:/+".contains(c);
    match !argument.is_empty() && argument.chars().all(is_plain) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', "'\\''")),
    }
}

type Rows = Vec<(&'static str, String)>;

fn describe(host: &Host, path: &Path) -> Result<Rows, Error> {
    let bytes = host.read(path)?;
    let written = host.written(path)?;
    let mut rows: Rows = vec![("file", format!("{}, {} bytes", path.display(), bytes.len()))];
    match artefact::describe(path, &bytes, host) {
        Ok(lines) => rows.extend(lines.into_iter().map(|line| ("", line))),
        Err(error) => rows.push(("", error.to_string())),
    }
    let inscribed = Provenance::of_file(&bytes);
    let state = match &written {
        Some(written) if written.is_unchanged => "as tumble wrote it",
        Some(_) => "changed since tumble wrote it",
        None if inscribed.is_some() => "written by tumble, and copied or moved since, without the record beside it",
        None => "no record of tumble beside it",
    };
    rows.push(("state", state.to_owned()));
    let is_recorded = written.as_ref().is_some_and(|written| written.is_unchanged);
    let recorded = written.filter(|written| written.is_unchanged).and_then(|written| written.provenance);
    if let Some(provenance) = recorded.or(inscribed) {
        rows.extend(origin(&provenance));
        if is_recorded {
            rows.push(("again", format!("tumble replay {}", path.display())));
        }
    }
    Ok(rows)
}

fn origin(provenance: &Provenance) -> Rows {
    let source = |source: &Source| format!("{}, SHA-256 {}", source.name, source.sha256);
    let mut rows: Rows = vec![("version", provenance.tumble.clone()), ("script", source(&provenance.script))];
    if !provenance.arguments.is_empty() {
        rows.push((
            "arguments",
            provenance.arguments.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(" "),
        ));
    }
    rows.extend(named("imports", provenance.modules.iter().map(source)));
    rows.extend(named("reads", provenance.inputs.iter().map(source)));
    rows.extend(named("processes", provenance.processes.iter().map(call)));
    let calls = provenance.calls.kept.iter().map(|(what, seeds)| {
        let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
        match seeds.len() {
            0 => call(what),
            1 => format!("{}; seed {}", call(what), seeds[0]),
            _ => format!("{}; seeds {}", call(what), seeds.join(", ")),
        }
    });
    rows.extend(named("computes", calls));
    if provenance.calls.more {
        rows.push(("", "and more of these than are kept".to_owned()));
    }
    rows
}

/// Lines of which the first has the name.
fn named(name: &'static str, lines: impl Iterator<Item = String>) -> Rows {
    lines.enumerate().map(|(place, line)| (if place == 0 { name } else { "" }, line)).collect()
}

/// `sample: count 100, steps 50`.
fn call(call: &Call) -> String {
    let settings: Vec<String> = call.entries().map(|(name, value)| format!("{name} {value}")).collect();
    match settings.is_empty() {
        true => call.name.clone(),
        false => format!("{}: {}", call.name, settings.join(", ")),
    }
}
