//! Where numbers of files become single precision. What would lose something that matters is refused or said.

use std::path::Path;

use super::formats::Array;
use crate::error::{Error, Result};
use crate::settings::written;
use crate::tensor::{Tensor, beyond, loss};

impl Array {
    /// The tensor of single precision, and what is to be said of it: of whole numbers that it has not, of numbers that
    /// it takes for 0, and of a spread that it loses beside the mean. Errors call the array `path`.
    ///
    /// # Errors
    /// When a finite number is beyond single precision.
    pub fn rounded(&self, path: &Path) -> Result<(Tensor, Vec<String>)> {
        let tensor = Tensor::from_f64(&self.shape, &self.values)?;
        let width = self.shape.get(1..).map_or(1, |rest| rest.iter().product::<usize>()).max(1);
        if let Some(at) = beyond(&self.values) {
            let place = format!("row {}, {}", at / width, self.column(at % width));
            let problem = format!("{place} is {}, and single precision ends at 3.4e38", written(self.values[at]));
            return Err(Error::file("use", path, problem).with_hint("divide the data by a scale first"));
        }
        let notes = (0..width).filter_map(|column| self.loss(column, width)).take(1);
        Ok((tensor, notes.map(|note| format!("`{}`: {note}", path.display())).collect()))
    }

    /// What rounding takes from a column, if it matters.
    fn loss(&self, column: usize, width: usize) -> Option<String> {
        let loss = loss(self.values.iter().skip(column).step_by(width).copied())?;
        Some(format!("{} {loss}", self.column(column)))
    }

    fn column(&self, at: usize) -> String {
        match self.names.get(at).filter(|name| !name.is_empty()) {
            Some(name) => format!("column {at} (`{name}`)"),
            None => format!("column {at}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(values: &[f64]) -> Result<(Tensor, Vec<String>)> {
        let names = vec!["t".to_owned(), "x".to_owned()];
        let shape = vec![values.len() / 2, 2];
        Array { shape, values: values.to_vec(), names, ..Array::default() }.rounded(Path::new("data.csv"))
    }

    #[test]
    fn what_matters_is_refused_or_said() {
        let (tensor, notes) = rounded(&[0.1, 1.0, 1e-50, 16_777_217.5]).unwrap();
        assert_eq!((tensor.values()[2], notes), (0.0, Vec::new()));
        let problem = rounded(&[1.0, 2.0, 1.0, -1e39]).unwrap_err().to_string();
        assert!(problem.ends_with("row 1, column 1 (`x`) is -1e39, and single precision ends at 3.4e38"), "{problem}");
        let notes = |values: &[f64]| rounded(values).unwrap().1.concat();
        assert!(notes(&[16_777_217.0, 0.5, 0.0, 0.5]).contains("column 0 (`t`) has whole numbers beyond 16_777_216"));
        assert!(notes(&[16_777_217.0, 0.5, 0.0, 0.5]).contains("16_777_217 became 16_777_216"));
        assert_eq!(notes(&[16_777_218.0, 0.5, 0.0, 0.5]), "");
        assert!(notes(&[0.5, 1e7, 0.5, 1e7 + 0.1]).contains("column 1 (`x`) has the mean 10_000_000.05"));
        assert!(notes(&[0.5, 1e-50, 0.5, 2e-50]).contains("column 1 (`x`) has 1e-50, which is 0"));
        // What was not finite in the file is not finite here; datasets refuse it.
        assert_eq!(rounded(&[f64::INFINITY, 1.0]).unwrap().0.values()[0], f32::INFINITY);
    }
}
