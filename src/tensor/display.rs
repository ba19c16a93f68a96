//! A short picture of a tensor for people.

use std::fmt;

use super::{Index, Tensor, number};

/// Rows, and numbers in a row, that are shown in full.
const SHOWN: usize = 8;

impl fmt::Display for Tensor {
    /// The shape and the values, aligned in columns; of long axes both ends; of more than two axes the first matrix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.picture(usize::MAX).ok_or(fmt::Error)?)
    }
}

impl Tensor {
    /// What a tensor prints, with as many columns as fit into lines of `width` characters, but two at least.
    pub fn picture(&self, width: usize) -> Option<String> {
        let head = format!("Tensor {:?}", self.shape());
        if self.is_empty() {
            return Some(head);
        }
        let leading = self.rank().saturating_sub(2);
        let matrix = self.get(&vec![Index::At(0); leading]).ok()?;
        let head = match leading {
            0 => head,
            _ => format!("{head}, first [{}]", vec!["0"; leading].join(", ")),
        };
        let values = matrix.values();
        let length = matrix.shape().last().copied().unwrap_or(1);
        let shown = |columns: usize| {
            let entry = |row: usize, column: Option<usize>| match column {
                Some(column) => number(values[row * length + column].into()),
                None => "...".to_owned(),
            };
            let columns = ends(length, columns);
            let row = |row: Option<usize>| match row {
                Some(row) => columns.iter().map(|&column| entry(row, column)).collect(),
                None => vec!["...".to_owned()],
            };
            let mut rows: Vec<Vec<String>> = ends(values.len() / length, SHOWN).into_iter().map(row).collect();
            align(&mut rows);
            rows.iter().map(|row| format!("\n  {}", row.join("  "))).collect::<Vec<_>>()
        };
        let fits = |lines: &Vec<String>| lines.iter().all(|line| line.len() <= width);
        let lines = (1..=SHOWN / 2).rev().map(|half| shown(2 * half)).find(fits).unwrap_or_else(|| shown(2));
        Some(format!("{head}{}", lines.concat()))
    }
}

/// All positions of an axis no longer than `shown`; both ends of a longer one with a gap between.
fn ends(length: usize, shown: usize) -> Vec<Option<usize>> {
    if length <= shown {
        return (0..length).map(Some).collect();
    }
    let half = shown / 2;
    (0..half).map(Some).chain([None]).chain((length - half..length).map(Some)).collect()
}

/// Pads the numbers so that columns line up on the right.
pub(crate) fn align(rows: &mut [Vec<String>]) {
    let width = rows.iter().flatten().map(String::len).max().unwrap_or(0);
    for text in rows.iter_mut().flatten() {
        *text = format!("{text:>width$}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    #[test]
    fn pictures() {
        let show = |shape: &[usize], values: &[f32]| Tensor::new(shape, values.to_vec()).unwrap().to_string();
        assert_eq!(show(&[], &[0.5]), "Tensor []\n  0.5");
        assert_eq!(show(&[3], &[1.0, -0.25, 100.0]), "Tensor [3]\n      1  -0.25    100");
        assert_eq!(
            show(&[2, 2], &[1.0, f32::NAN, 2.5, 1e-9]),
            "Tensor [2, 2]\n          1        NaN\n        2.5  1.0000e-9"
        );
        assert_eq!(show(&[0, 2], &[]), "Tensor [0, 2]");
        assert_eq!(show(&[1, 1, 2], &[1.0, 2.0]), "Tensor [1, 1, 2], first [0]\n  1  2");
        let long = Tensor::arange(0.0, 100.0, 1.0, &Host::default()).unwrap();
        assert_eq!(long.to_string(), "Tensor [100]\n    0    1    2    3  ...   96   97   98   99");
        assert_eq!(long.picture(30).unwrap(), "Tensor [100]\n    0    1  ...   98   99");
        assert_eq!(long.picture(5).unwrap(), "Tensor [100]\n    0  ...   99");
        let tall = long.reshape(&[50, 2]).unwrap().to_string();
        assert_eq!(tall.lines().count(), 10, "{tall}");
        assert!(tall.contains("\n    6    7\n  ...\n   92   93\n"), "{tall}");
    }
}
