//! What is wrong with a table, and the option that may help.

use std::path::Path;

use super::super::options::Layout;
use super::dialect::{Dialect, Record};
use super::number::{is_missing, parse};
use crate::error::Error;

/// What is known of a table when something in it is wrong.
pub(super) struct Trouble<'a> {
    pub(super) path: &'a Path,
    pub(super) layout: &'a Layout,
    pub(super) dialect: Dialect,
    /// Lines before the first.
    pub(super) skip: u64,
    pub(super) names: &'a [String],
    /// Whether the first line had names.
    pub(super) has_names_line: bool,
}

impl Trouble<'_> {
    /// A line has another number of fields than `line` had, `width`.
    pub(super) fn uneven(&self, record: &Record, line: u64, width: usize) -> Error {
        if let Some(error) = self.open_quote(record) {
            return error;
        }
        let fields = |count: usize| if count == 1 { "1 field".to_owned() } else { format!("{count} fields") };
        let (line, here) = (line + self.skip, record.line + self.skip);
        let problem = format!("line {here} has {}, line {line} has {}", fields(record.fields.len()), fields(width));
        let hint = match record.fields.len() > width {
            true => {
                format!("every row needs the same number of fields; skip: {line} leaves out what is above line {here}")
            }
            false => "every row needs the same number of fields".to_owned(),
        };
        Error::file("read", self.path, problem).with_hint(hint)
    }

    /// The field in `column` is to be a number and is none.
    pub(super) fn not_a_number(&self, record: &Record, column: usize, is_first_row: bool) -> Error {
        if let Some(error) = self.open_quote(record) {
            return error;
        }
        let field = &record.fields[column];
        let what = match field.as_str() {
            "" => "empty".to_owned(),
            text if text.parse::<f64>().is_ok_and(f64::is_infinite) => {
                format!("`{}`, beyond double precision", shown(text))
            }
            text if is_missing(text) => format!("`{}`, a missing value", shown(text)),
            text => format!("`{}`, not a number", shown(text)),
        };
        let name = self.names.get(column).filter(|name| !name.is_empty());
        let name = name.map_or_else(String::new, |name| format!(" (`{}`)", shown(name)));
        let problem = format!("line {}, field {}{name} is {what}", record.line + self.skip, column + 1);
        Error::file("read", self.path, problem).with_hint(self.way_out(record, column, is_first_row))
    }

    fn way_out(&self, record: &Record, column: usize, is_first_row: bool) -> String {
        let field = &record.fields[column];
        let reads = |text: &str, decimal| parse(text, decimal).is_some();
        let other = |dialect: Dialect| {
            let parts = dialect.fields(field);
            parts.len() > 1 && parts.iter().all(|part| reads(part, self.dialect.decimal))
        };
        let delimiter = [b',', b';', b'\t', b'|', b' '].into_iter().find(|&delimiter| {
            char::from(delimiter) != self.dialect.decimal && other(Dialect { delimiter, ..self.dialect })
        });
        if is_missing(field) {
            return "leave such lines or columns out, or write a number".to_owned();
        }
        if self.dialect.decimal == '.' && reads(field, ',') {
            return "write decimal: \",\" if a comma stands before the decimals".to_owned();
        }
        if field.contains([',', '.', '\'', '_']) && reads(&field.replace([',', '.', '\'', '_'], ""), '.') {
            return "write numbers without marks between thousands, with one sign before the decimals".to_owned();
        }
        if let Some(mark) = delimiter.filter(|_| self.layout.delimiter.is_none()) {
            return format!("write delimiter: {:?} if that is between the fields", char::from(mark).to_string());
        }
        let line = record.line + self.skip;
        let label = match self.names.get(column).filter(|name| !name.is_empty()) {
            Some(name) => format!("labels: {:?}", shown(name)),
            None => format!("labels: {column}"),
        };
        let has_numbers = record.fields.iter().any(|field| reads(field, self.dialect.decimal));
        match is_first_row {
            true if self.has_names_line && !has_numbers => format!("skip: {line} leaves out all lines to this one"),
            true if !self.has_names_line && self.layout.header.is_none() => {
                format!(
                    "header: true if line {line} has names, skip: {line} leaves it out, {label} takes the column as labels"
                )
            }
            _ => format!("`columns` takes only some columns, by name or from 0; {label} takes this one as labels"),
        }
    }

    /// A quotation mark that is not closed makes one field of all lines behind it.
    fn open_quote(&self, record: &Record) -> Option<Error> {
        record.fields.iter().any(|field| field.contains('\n')).then(|| {
            let line = record.line + self.skip;
            Error::file("read", self.path, format!("a quotation mark in line {line} is not closed in it"))
                .with_hint("close it, or take it out")
        })
    }
}

/// A field as messages show it.
fn shown(field: &str) -> String {
    const MOST: usize = 40;
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let dots = if field.chars().count() > MOST { "..." } else { "" };
    field.chars().take(MOST).map(escaped).collect::<String>() + dots
}
