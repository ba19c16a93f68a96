//! How fields stand in a line, asked for or told from the first lines.

use std::borrow::Cow;

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::super::options::Layout;
use super::number::parse;
use crate::error::{Error, Result};

/// What is between fields, how numbers are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dialect {
    /// What is between fields; a space stands for blanks of any width, tabs among them.
    pub(super) delimiter: u8,
    /// What is between the whole and the rest of a number.
    pub(super) decimal: char,
    /// Whether every line ends with a delimiter, behind which there is no field.
    pub(super) is_closed: bool,
}

/// Between fields, the likeliest first.
const DELIMITERS: [u8; 5] = [b';', b'\t', b',', b'|', b' '];

/// Lines from which the delimiter is told.
const HEAD: usize = 20;

impl Dialect {
    /// The dialect of `text`, which has no comments, as far as `layout` does not say it.
    ///
    /// # Errors
    /// When the delimiter is not one character.
    pub(super) fn of(text: &str, layout: &Layout) -> Result<Self> {
        let decimal = if layout.decimal_comma { ',' } else { '.' };
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).take(HEAD).collect();
        let head = lines.join("\n");
        let with = |delimiter| Self { delimiter, decimal, is_closed: false };
        let delimiter = match &layout.delimiter {
            Some(given) => delimiter_of(given)?,
            // Between quoted fields a comma may stand although it is in the numbers, too.
            None => told(
                &head,
                DELIMITERS.map(with).into_iter().filter(|d| char::from(d.delimiter) != decimal || head.contains('"')),
            ),
        };
        let ends = |line: &&str| line.trim_end_matches(' ').as_bytes().ends_with(&[delimiter]);
        let is_closed = delimiter != b' ' && !lines.is_empty() && lines.iter().all(ends);
        Ok(Self { is_closed, ..with(delimiter) })
    }

    /// The records of `text`, each with the number of its line, from 1 on. Lines without any field are left out.
    pub(super) fn records(self, text: &str) -> Records<'_> {
        let text = match self.delimiter {
            b' ' => Cow::Owned(text.replace('\t', " ")),
            _ => Cow::Borrowed(text),
        };
        Records { dialect: self, reader: reader(self.delimiter, text), raw: StringRecord::new() }
    }

    /// The fields of one line.
    pub(super) fn fields(self, line: &str) -> Vec<String> {
        let mut record = Record::default();
        match self.records(line).next_into(&mut record) {
            Ok(true) => record.fields,
            _ => Vec::new(),
        }
    }
}

/// The delimiter that a caller names.
fn delimiter_of(given: &str) -> Result<u8> {
    match given.as_bytes() {
        [mark @ (b'"' | b'\n' | b'\r')] => {
            Err(Error::argument("delimiter", format!("must not be {:?}", char::from(*mark))))
        }
        [mark] => Ok(*mark),
        bytes if !bytes.is_empty() && bytes.iter().all(u8::is_ascii_whitespace) => Ok(b' '),
        _ => Err(Error::argument("delimiter", format!("must be one character, got {given:?}"))
            .with_hint("write \",\", \";\", \"|\", \"\\t\" for a tab, or \" \" for blanks of any width")),
    }
}

/// The delimiter by which all lines of `head` have the same number of fields, best with numbers in all of the last one;
/// else one that most lines have.
fn told(head: &str, candidates: impl Iterator<Item = Dialect>) -> u8 {
    let split = |dialect: Dialect| {
        let (mut records, mut lines, mut record) = (dialect.records(head), Vec::new(), Record::default());
        while matches!(records.next_into(&mut record), Ok(true)) {
            lines.push(std::mem::take(&mut record.fields));
        }
        lines
    };
    let (mut even, mut present) = (None, None);
    for dialect in candidates {
        let lines = split(dialect);
        // Words of a lone name may have a blank between them, and then numbers have none.
        let needed = if dialect.delimiter == b' ' { lines.len() / 2 + 1 } else { lines.len().div_ceil(2) };
        if lines.iter().filter(|line| line.len() > 1).count() >= needed {
            present = present.or(Some(dialect.delimiter));
        }
        let Some(last) = lines.last().filter(|last| last.len() > 1) else { continue };
        if lines.iter().all(|line| line.len() == last.len()) {
            let mut fields = last.iter().filter(|field| !field.is_empty());
            if fields.all(|field| parse(field, dialect.decimal).is_some()) {
                return dialect.delimiter;
            }
            even = even.or(Some(dialect.delimiter));
        }
    }
    // One column where no line is divided.
    even.or(present).unwrap_or(b';')
}

fn reader(delimiter: u8, text: Cow<'_, str>) -> Reader<std::io::Cursor<Cow<'_, [u8]>>> {
    let bytes = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter)
        .from_reader(std::io::Cursor::new(bytes))
}

/// One line, or several where a quoted field goes over them.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Number of its line, from 1 on.
    pub(super) line: u64,
    /// What stands between the delimiters, without blanks around it.
    pub(super) fields: Vec<String>,
}

/// The records of a text.
pub(super) struct Records<'a> {
    dialect: Dialect,
    reader: Reader<std::io::Cursor<Cow<'a, [u8]>>>,
    raw: StringRecord,
}

impl Records<'_> {
    /// Fills `record` with the next one; false at the end.
    pub(super) fn next_into(&mut self, record: &mut Record) -> Result<bool, csv::Error> {
        while self.reader.read_record(&mut self.raw)? {
            record.line = self.raw.position().map_or(0, csv::Position::line);
            let is_blank = self.dialect.delimiter == b' ';
            let mut count = 0;
            for field in self.raw.iter().filter(|field| !is_blank || !field.is_empty()) {
                // The strings are kept from record to record: a long table would make a new one for each field.
                match record.fields.get_mut(count) {
                    Some(place) => {
                        place.clear();
                        place.push_str(field);
                    }
                    None => record.fields.push(field.to_owned()),
                }
                count += 1;
            }
            let has_end = self.dialect.is_closed && count > 1 && record.fields[count - 1].is_empty();
            record.fields.truncate(if has_end { count - 1 } else { count });
            if record.fields.len() > 1 || record.fields.iter().any(|field| !field.is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
