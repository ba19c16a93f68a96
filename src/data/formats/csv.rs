//! Tables of numbers in text.

use std::io::Write;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// Reads the table `path` as [rows, columns] from the file's bytes. Lines that begin with `#` are skipped, and the
/// first line if none of its fields is a number.
pub(super) fn decode(path: &Path, bytes: &[u8]) -> Result<Tensor> {
    let text = str::from_utf8(bytes).map_err(|_| Error::file("read", path, "it is not a UTF-8 text file"))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(Trim::All)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let (mut values, mut columns, mut rows) = (Vec::new(), 0, 0);
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|e| Error::file("read", path, e))?;
        if index == 0 && record.iter().all(|field| field.parse::<f32>().is_err()) {
            continue;
        }
        if rows == 0 {
            columns = record.len();
        }
        if record.len() != columns {
            let problem = format!("line {} has {} fields, earlier ones {columns}", line(&record), record.len());
            return Err(Error::file("read", path, problem).with_hint("every row needs the same number of fields"));
        }
        for (column, field) in record.iter().enumerate() {
            values.push(field.parse::<f32>().map_err(|_| not_a_number(path, &record, column, field))?);
        }
        rows += 1;
    }
    if rows == 0 {
        return Err(Error::file("read", path, "it holds no numbers"));
    }
    Tensor::new(&[rows, columns], values)
}

/// The character between fields: a semicolon or tab if the first line that is neither blank nor a comment
/// has one, else a comma.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    [b';', b'\t'].into_iter().find(|&mark| first.as_bytes().contains(&mark)).unwrap_or(b',')
}

fn line(record: &StringRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

fn not_a_number(path: &Path, record: &StringRecord, column: usize, field: &str) -> Error {
    let what = if field.is_empty() { "empty".to_owned() } else { format!("`{field}`, not a number") };
    Error::file("read", path, format!("line {}, field {} is {what}", line(record), column + 1))
}

/// Writes the table `path`, one row per line; a vector becomes one column.
pub(super) fn encode(path: &Path, tensor: &Tensor, mut out: impl Write) -> Result<()> {
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
        writeln!(out, "{}", fields.join(",")).map_err(|e| Error::file("write", path, e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Tensor> {
        decode(Path::new("table.csv"), text.as_bytes())
    }

    #[test]
    fn tables() {
        let truth = Tensor::new(&[2, 2], vec![1.0, 2.5, -3.0, 4e-3]).unwrap();
        for text in [
            "1,2.5\n-3,4e-3\n",
            "x,y\n1,2.5\n-3,4e-3",
            "1;2.5\r\n-3;4e-3\r\n",
            "\n# exported\n\n1;2.5\n-3;4e-3\n",
            "\r\n1\t2.5\r\n-3\t4e-3\r\n",
            "# made by hand\n1\t2.5\n-3\t4e-3\n",
            "\u{feff}x , y\n 1 , 2.5 \n\n -3 , 4e-3 \n",
        ] {
            assert_eq!(parse(text).unwrap(), truth, "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let problem = |text: &str| parse(text).expect_err("bad").to_string();
        assert!(problem("").ends_with("it holds no numbers"));
        assert!(problem("x,y\n").ends_with("it holds no numbers"));
        assert!(problem("1,2\n3\n").ends_with("line 2 has 1 fields, earlier ones 2"));
        assert!(problem("x,y\n1,2\n3,\n").ends_with("line 3, field 2 is empty"));
        assert!(problem("1,2\n3,abc\n").ends_with("line 2, field 2 is `abc`, not a number"));
        // A first line with a number in it is data, so nothing is dropped in silence.
        assert!(problem("1,abc\n3,4\n").ends_with("line 1, field 2 is `abc`, not a number"));
    }

    #[test]
    fn bytes_that_are_no_text() {
        let problem = decode(Path::new("table.csv"), &[0xff, 0xfe, 0x00]).unwrap_err().to_string();
        assert_eq!(problem, "cannot read `table.csv`: it is not a UTF-8 text file");
    }

    #[test]
    fn a_table_has_two_axes() {
        let cube = Tensor::new(&[1, 1, 1], vec![0.0]).unwrap();
        let problem = encode(Path::new("table.csv"), &cube, Vec::new()).unwrap_err().to_string();
        assert!(problem.contains("the tensor has shape [1, 1, 1]"), "{problem}");
    }
}
