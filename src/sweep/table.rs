//! The results of a sweep as one table.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::grid::{Grid, Point, text};

/// A row for each point that has a result: its values, then what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The names of the axes.
    axes: Vec<String>,
    rows: Vec<(Point, Map<String, Value>)>,
}

impl Table {
    /// The table of these points, in their order.
    pub fn new(grid: &Grid, rows: Vec<(Point, Map<String, Value>)>) -> Self {
        Self { axes: grid.axes().iter().map(|axis| axis.name.clone()).collect(), rows }
    }

    /// The rows: points with their results.
    pub fn rows(&self) -> &[(Point, Map<String, Value>)] {
        &self.rows
    }

    /// As comma-separated values with a line of names, of the axes first; what is no single value is written as JSON.
    pub fn csv(&self) -> String {
        let names: BTreeSet<&str> =
            self.rows.iter().flat_map(|(_, result)| result.keys().map(String::as_str)).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let head = self.axes.iter().map(String::as_str).chain(names.iter().copied());
        let mut write = |cells: Vec<String>| writer.write_record(cells).expect("rows are of one length");
        write(head.map(str::to_owned).collect());
        for (point, result) in &self.rows {
            let values = point.values.iter().map(|(_, value)| text(value));
            write(values.chain(names.iter().map(|name| result.get(*name).map(text).unwrap_or_default())).collect());
        }
        let bytes = writer.into_inner().expect("memory takes everything");
        String::from_utf8(bytes).expect("it was written from text")
    }

    /// As an array of objects.
    pub fn json(&self) -> String {
        let row = |(point, result): &(Point, Map<String, Value>)| -> Value {
            Value::Object(point.values.iter().cloned().chain(result.clone()).collect())
        };
        serde_json::to_string_pretty(&self.rows.iter().map(row).collect::<Vec<_>>()).expect("keys are strings")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::grid::Axis;
    use super::*;

    #[test]
    fn rows_are_axes_and_what_was_found() {
        let axes = [("tau", json!([0.5, 1.0])), ("word", json!(["a,b"]))];
        let axis =
            |(name, values): (&str, Value)| Axis { name: name.to_owned(), values: values.as_array().unwrap().clone() };
        let grid = Grid::new(axes.map(axis).to_vec()).unwrap();
        let results = [json!({ "distance": 1e-7, "all": [1, 2.5] }), json!({ "distance": 2.0, "good": true })];
        let rows = grid.points().into_iter().zip(results.map(|result| result.as_object().unwrap().clone()));
        let table = Table::new(&grid, rows.collect());
        let expected = "tau,word,all,distance,good\n0.5,\"a,b\",\"[1,2.5]\",1e-7,\n1,\"a,b\",,2,true\n";
        assert_eq!(table.csv(), expected);
        let read: Vec<Map<String, Value>> = serde_json::from_str(&table.json()).unwrap();
        assert_eq!(read[1]["distance"], json!(2.0));
        assert_eq!(read[0].keys().collect::<Vec<_>>(), ["all", "distance", "tau", "word"]);
        assert_eq!(Table::new(&grid, Vec::new()).csv(), "tau,word\n");
    }
}
