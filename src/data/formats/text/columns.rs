//! Which columns of a table are taken, and as what.

use std::path::Path;

use super::super::options::{Column, Layout};
use crate::error::{Error, Result, suggestion};

/// The columns that are taken, by position from 0 on.
pub(super) struct Taken {
    /// As numbers, in the order asked for.
    pub(super) numbers: Vec<usize>,
    /// As labels.
    pub(super) label: Option<usize>,
}

impl Taken {
    /// Those that `layout` asks for of `width` columns, whose names are `names` or unknown; all but the labels where it
    /// does not.
    ///
    /// # Errors
    /// When a column does not exist, or none is left.
    pub(super) fn of(path: &Path, layout: &Layout, names: &[String], width: usize) -> Result<Self> {
        let find = |option: &str, column: &Column| position(path, option, column, names, width);
        let label = layout.labels.as_ref().map(|column| find("labels", column)).transpose()?;
        let numbers = match &layout.columns {
            Some(columns) => columns.iter().map(|column| find("columns", column)).collect::<Result<_>>()?,
            None => (0..width).filter(|&at| Some(at) != label).collect::<Vec<_>>(),
        };
        match (numbers.is_empty(), &layout.columns) {
            (false, _) => Ok(Self { numbers, label }),
            (true, Some(_)) => Err(Error::argument("columns", "names no column").with_hint("leave it out to take all")),
            (true, None) => Err(Error::argument("labels", "is the only column: no numbers are left")),
        }
    }
}

fn position(path: &Path, option: &str, column: &Column, names: &[String], width: usize) -> Result<usize> {
    let refuse = |problem: String| Error::argument(option, problem);
    match column {
        Column::At(at) => {
            let count = width as i64;
            let place = if *at < 0 { at + count } else { *at };
            let place = usize::try_from(place).ok().filter(|&place| place < width);
            place.ok_or_else(|| {
                refuse(format!("has {at}, and `{}` has {width} columns", path.display()))
                    .with_hint("columns count from 0, or from -1 backwards")
            })
        }
        Column::Named(name) if names.is_empty() => {
            Err(refuse(format!("has \"{name}\", and `{}` has no line of names", path.display()))
                .with_hint("give positions, from 0 on, or header: true if the first line has the names"))
        }
        Column::Named(name) => match names.iter().filter(|known| *known == name).count() {
            1 => Ok(names.iter().position(|known| known == name).expect("it was counted")),
            0 => Err(refuse(format!("has \"{name}\", which is no column of `{}`", path.display()))
                .with_hint(suggestion(name, names, "it has"))),
            count => Err(refuse(format!("has \"{name}\", and {count} columns of `{}` are called so", path.display()))
                .with_hint("give the position, from 0 on")),
        },
    }
}
