//! Tables of numbers in text.

mod columns;
mod dialect;
mod lines;
mod number;
mod trouble;

use std::io::Write;
use std::path::Path;

use super::array::{Array, WHOLE, rounded_whole};
use super::options::Layout;
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use columns::Taken;
use dialect::{Dialect, Record};
use lines::{behind, text_of, without_comments};
use number::{is_missing, is_whole, parse};
use trouble::Trouble;

/// Reads the table `path` as [rows, columns] from the file's bytes, with the names of its columns where it has them.
///
/// # Errors
/// When it is no text, has rows of different lengths, or a field that is to be a number and is none.
pub(super) fn decode(path: &Path, bytes: &[u8], layout: &Layout) -> Result<Array> {
    let text = text_of(path, bytes)?;
    let (mut layout, mut skip) = (layout.clone(), layout.skip);
    // Spreadsheets say so what is between the fields.
    if let Some(mark) = behind(&text, skip).lines().next().and_then(|line| line.trim().strip_prefix("sep=")) {
        layout.delimiter.get_or_insert_with(|| mark.to_owned());
        skip += 1;
    }
    let cleaned = without_comments(behind(&text, skip), layout.comment.as_deref());
    let dialect = Dialect::of(&cleaned.text, &layout)?;
    let mut table = Table { path, dialect, skip: skip as u64, names: Vec::new(), names_line: None, layout: &layout };
    table.read(&cleaned.text, cleaned.heading)
}

/// A table on the way from text to numbers.
struct Table<'a> {
    path: &'a Path,
    layout: &'a Layout,
    dialect: Dialect,
    /// Lines before the first.
    skip: u64,
    /// Of the columns; none where nothing says them.
    names: Vec<String>,
    /// The line that they were in, where one had nothing else.
    names_line: Option<u64>,
}

impl Table<'_> {
    fn read(&mut self, text: &str, heading: Option<&str>) -> Result<Array> {
        let empty = || Error::file("read", self.path, "it holds no numbers");
        let broken = |error: csv::Error| Error::file("read", self.path, error);
        let (mut records, mut record) = (self.dialect.records(text), Record::default());
        if !records.next_into(&mut record).map_err(broken)? {
            return Err(empty());
        }
        if self.layout.header.unwrap_or_else(|| self.are_names(&record.fields)) {
            (self.names, self.names_line) = (record.fields.clone(), Some(record.line));
            if !records.next_into(&mut record).map_err(broken)? {
                return Err(empty());
            }
        } else if let Some(heading) = heading {
            self.names = self.dialect.fields(heading);
        }
        let width = record.fields.len();
        if let Some(line) = self.names_line.filter(|_| self.names.len() != width) {
            return Err(self.trouble().uneven(&record, line, self.names.len()));
        }
        if self.names.len() != width {
            self.names.clear();
        }
        let taken = Taken::of(self.path, self.layout, &self.names, width)?;
        let (mut rows, first) = (Rows::default(), record.fields.clone());
        loop {
            self.append(&record, width, &taken, &mut rows)?;
            if !records.next_into(&mut record).map_err(broken)? {
                break;
            }
        }
        let notes = self.notes(&first, &taken, &rows);
        let names = if self.names.is_empty() { Vec::new() } else { picked(&self.names, &taken.numbers) };
        let Rows { count, values, labels, .. } = rows;
        Ok(Array { shape: vec![count, taken.numbers.len()], values, names, labels, notes })
    }

    /// Whether the fields of the first line are names: none is a number, and one is a word.
    fn are_names(&self, fields: &[String]) -> bool {
        let is_number = |field: &String| parse(field, self.dialect.decimal).is_some();
        // A number in another way of writing is a mistake about the file, and no name.
        let is_nearly = |field: &String| parse(field, if self.dialect.decimal == '.' { ',' } else { '.' }).is_some();
        !fields.iter().any(|field| is_number(field) || is_nearly(field))
            && fields.iter().any(|field| !is_missing(field))
    }

    fn append(&self, record: &Record, width: usize, taken: &Taken, rows: &mut Rows) -> Result<()> {
        if record.fields.len() != width {
            return Err(self.trouble().uneven(record, rows.first_line, width));
        }
        if rows.count == 0 {
            rows.first_line = record.line;
        }
        for &column in &taken.numbers {
            let field = &record.fields[column];
            let value = parse(field, self.dialect.decimal);
            let value = value.ok_or_else(|| self.trouble().not_a_number(record, column, rows.count == 0))?;
            rows.values.push(value);
            rows.is_rounded |= value.abs() >= WHOLE && is_whole(field);
            rows.has_whole |= rows.count > 0 && is_whole(field);
        }
        rows.labels.extend(taken.label.map(|column| record.fields[column].clone()));
        rows.count += 1;
        Ok(())
    }

    fn trouble(&self) -> Trouble<'_> {
        let Self { path, layout, dialect, skip, names, names_line } = self;
        Trouble { path, layout, dialect: *dialect, skip: *skip, names, has_names_line: names_line.is_some() }
    }

    /// What may have been meant otherwise.
    fn notes(&self, first: &[String], taken: &Taken, rows: &Rows) -> Vec<String> {
        let mut notes = Vec::new();
        if rows.is_rounded {
            notes.push(rounded_whole(self.path));
        }
        let line = self.skip + rows.first_line;
        let fields = picked(first, &taken.numbers);
        if self.layout.header.is_none()
            && self.names_line.is_none()
            && rows.count > 1
            && !rows.has_whole
            && fields.iter().all(|field| is_whole(field))
        {
            notes.push(format!(
                "`{}`: line {line} ({}) is taken as data, though all other numbers have more than whole ones: \
                 header: true if it has names, header: false if it has not",
                self.path.display(),
                fields.join(", ")
            ));
        }
        if self.layout.columns.is_none()
            && taken.numbers.len() > 1
            && self.names.first().is_some_and(|name| name.is_empty())
            && taken.numbers[0] == 0
            && counts_rows(&rows.values, taken.numbers.len())
        {
            notes.push(format!(
                "`{}`: the first column has no name and counts the rows; columns: {:?} would leave it out",
                self.path.display(),
                picked(&self.names, &taken.numbers[1..])
            ));
        }
        let taken_names = || picked(&self.names, &taken.numbers).into_iter();
        if self.layout.columns.is_none()
            && !self.names.is_empty()
            && let Some(name) = taken_names().find(|name| OF_LABELS.contains(&name.to_lowercase().as_str()))
        {
            notes.push(format!(
                "`{}`: column `{name}` is taken as a coordinate: labels: {name:?} takes it as labels",
                self.path.display()
            ));
        }
        notes
    }
}

/// What columns of labels are called.
const OF_LABELS: &[&str] = &["class", "label", "labels", "species", "target"];

#[derive(Default)]
struct Rows {
    count: usize,
    first_line: u64,
    values: Vec<f64>,
    labels: Vec<String>,
    /// Whether a number behind the first row is written as a whole one.
    has_whole: bool,
    /// Whether a whole number has more digits than double precision.
    is_rounded: bool,
}

fn picked(fields: &[String], columns: &[usize]) -> Vec<String> {
    columns.iter().map(|&column| fields[column].clone()).collect()
}

/// Whether the first of `width` columns goes 0, 1, 2, ... or 1, 2, 3, ...
fn counts_rows(values: &[f64], width: usize) -> bool {
    let first = values[0];
    (first == 0.0 || first == 1.0) && values.iter().step_by(width).enumerate().all(|(row, v)| *v == first + row as f64)
}

/// Writes the table `path`, one row per line, with `delimiter` between numbers; a vector becomes one column.
pub(super) fn encode(path: &Path, tensor: &Tensor, delimiter: &str, mut out: impl Write) -> Result<()> {
    let columns = match tensor.shape() {
        [] | [_] => 1,
        [_, columns] => *columns,
        shape => {
            return Err(Error::file("write", path, format!("a table has two axes, the tensor has shape {shape:?}"))
                .with_hint("reshape it, or use .npy"));
        }
    };
    for row in tensor.values().chunks(columns.max(1)) {
        let fields: Vec<String> = row.iter().map(ToString::to_string).collect();
        writeln!(out, "{}", fields.join(delimiter)).map_err(|e| Error::file("write", path, e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
