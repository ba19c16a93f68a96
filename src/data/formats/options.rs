//! What can be said of a file that is read.

use crate::settings::{Choice, Setting, Values};

/// What is read of a file, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which of several arrays in a `.npz` file.
    pub array: Option<String>,
    /// How a table in text is laid out.
    pub layout: Layout,
}

/// How a table in text is laid out, as far as it is said; the rest is found out.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Whether the first line has names.
    pub header: Option<bool>,
    /// Lines before it.
    pub skip: usize,
    /// The columns to read, in this order; all but the labels where they are not given.
    pub columns: Option<Vec<Column>>,
    /// The column of labels.
    pub labels: Option<Column>,
    /// What is between fields.
    pub delimiter: Option<String>,
    /// Whether a comma stands before the decimals.
    pub decimal_comma: bool,
    /// What begins a comment.
    pub comment: Option<String>,
    /// The first of these options that was given.
    pub first_given: Option<&'static str>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// By its place, from 0 on, or from -1 backwards.
    At(i64),
    /// By its name.
    Named(String),
}

impl Options {
    /// What can be set; `columns` and `labels` are read where the language is known.
    pub const SETTINGS: &[Setting] = &[
        Setting::text("array", "name of the array in a .npz file that holds several").or_else(""),
        Setting::flag("header", "tables: whether the first line has the names of the columns")
            .or_else("it has if there is no number in it"),
        Setting::natural("skip", "tables: lines to leave out before the first").or(0.0),
        Setting::other("columns", "an array of names or positions", "tables: the columns to read, by name or from 0")
            .or_else("all but the labels"),
        Setting::other("labels", "a name or a position", "tables: the column that is a label of the row, no number")
            .or_else("none"),
        Setting::text("delimiter", "tables: the character between fields, \" \" for blanks of any width")
            .or_else("found out: ; tab , | or blanks"),
        Setting::choice(
            "decimal",
            "tables: the sign before the decimals",
            &[Choice::new(".", "a point"), Choice::new(",", "a comma")],
        ),
        Setting::text("comment", "tables: what begins a comment, \"\" for nothing")
            .or_else("#, and % or @ at the begin of a line"),
    ];

    /// As given, with the columns that the caller read.
    pub fn read(values: &Values, columns: Option<Vec<Column>>, labels: Option<Column>) -> Self {
        let text = |name: &str| values.text_if_given(name).map(str::to_owned);
        let names = ["header", "skip", "columns", "labels", "delimiter", "decimal", "comment"];
        let layout = Layout {
            header: values.flag_if_given("header"),
            skip: values.count("skip"),
            columns,
            labels,
            delimiter: text("delimiter"),
            decimal_comma: values.word("decimal") == ",",
            comment: text("comment"),
            first_given: names.into_iter().find(|name| values.is_given(name)),
        };
        Self { array: text("array"), layout }
    }

    /// Of one array in a `.npz` file.
    pub fn of_array(name: &str) -> Self {
        Self { array: Some(name.to_owned()), ..Self::default() }
    }
}
