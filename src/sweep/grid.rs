//! What is swept: axes, and the points that are their product.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::host::Source;

/// Names that a point has besides those of its axes.
const OWN: [&str; 2] = ["folder", "index"];
/// Points of a sweep: beyond that it was not meant, or it takes years.
pub(crate) const MOST: usize = 1_000_000;

/// Bytes of the name of a folder: file systems allow 255, and batch systems show it.
const LONGEST: usize = 160;
/// Digits of its hash where it is cut.
const DIGITS: usize = 16;

/// A parameter and the values that it takes: numbers, texts, truth values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What it is called.
    pub name: String,
    /// Its values.
    pub values: Vec<Value>,
}

/// The product of axes, the last of which varies fastest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Axis>", into = "Vec<Axis>")]
pub struct Grid {
    axes: Vec<Axis>,
}

/// What a file says is looked at as what a script says.
impl TryFrom<Vec<Axis>> for Grid {
    type Error = Error;

    fn try_from(axes: Vec<Axis>) -> Result<Self> {
        Self::new(axes)
    }
}

impl From<Grid> for Vec<Axis> {
    fn from(grid: Grid) -> Self {
        grid.axes
    }
}

/// A point of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its place in the order of the points.
    pub index: usize,
    /// The names of the axes, each with a value.
    pub values: Vec<(String, Value)>,
}

impl Grid {
    /// The product of `axes`.
    ///
    /// # Errors
    /// When there are no axes or no points, a name is one that points have anyway, a value is none of those that an
    /// axis takes or is there twice, or there are too many points.
    pub fn new(axes: Vec<Axis>) -> Result<Self> {
        if axes.is_empty() {
            return Err(Error::argument("axes", "is empty").with_hint("write #{ tau: [0.1, 0.5], seed: 0..5 }"));
        }
        axes.iter().try_for_each(Axis::check)?;
        let count = axes.iter().try_fold(1_usize, |count, axis| count.checked_mul(axis.values.len()));
        if count.is_none_or(|count| count > MOST) {
            return Err(Error::argument("axes", format!("has more than {MOST} points")));
        }
        Ok(Self { axes })
    }

    /// The axes.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// How many points there are.
    pub fn count(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// All points, in their order.
    pub fn points(&self) -> Vec<Point> {
        (0..self.count()).map(|index| self.point(index)).collect()
    }

    fn point(&self, index: usize) -> Point {
        let mut rest = index;
        let mut values: Vec<_> = self
            .axes
            .iter()
            .rev()
            .map(|Axis { name, values }| {
                let value = values[rest % values.len()].clone();
                rest /= values.len();
                (name.clone(), value)
            })
            .collect();
        values.reverse();
        Point { index, values }
    }
}

impl Axis {
    fn check(&self) -> Result<()> {
        let refuse = |problem: String| Err(Error::argument(&self.name, problem));
        if OWN.contains(&self.name.as_str()) || self.name.is_empty() {
            let error = Error::argument(&self.name, "is no name for an axis");
            return Err(error.with_hint("a point has `folder` and `index` of its own: take another name"));
        }
        if self.values.is_empty() {
            return refuse("has no values".to_owned());
        }
        let mut earlier = HashSet::new();
        for value in &self.values {
            if !is_plain(value) {
                return refuse(format!("takes numbers, texts and truth values, got {value}"));
            }
            if !earlier.insert(text(value)) {
                return refuse(format!("has {} twice", text(value)));
            }
        }
        Ok(())
    }
}

impl Point {
    /// What its folder is called: `seed=3,tau=0.1`. Of what is long, the beginning and a hash.
    pub fn name(&self) -> String {
        let pairs: Vec<_> =
            self.values.iter().map(|(name, value)| format!("{}={}", plain(name), plain(&exact(value)))).collect();
        let name = pairs.join(",");
        if name.len() <= LONGEST {
            return name;
        }
        let hash = &Source::of_text("", &name).sha256[..DIGITS];
        let beginning = name.floor_char_boundary(LONGEST - DIGITS - 1);
        // No other name has the sign.
        format!("{}~{hash}", &name[..beginning])
    }

    /// As users are told of it: `seed 3, tau 0.1`.
    pub fn words(&self) -> String {
        let pairs: Vec<_> = self.values.iter().map(|(name, value)| format!("{name} {}", text(value))).collect();
        pairs.join(", ")
    }
}

/// Whether a value is one number, text or truth value.
pub(super) fn is_plain(value: &Value) -> bool {
    matches!(value, Value::Number(_) | Value::String(_) | Value::Bool(_))
}

/// A value in characters as it is shown; a number without a fraction of zero.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
        other => other.to_string(),
    }
}

/// A value in characters from which its kind is known: what a closure gives for 1, 1.0 and "1" may differ.
pub(super) fn exact(value: &Value) -> String {
    let is_like_another =
        |text: &str| text.starts_with('"') || serde_json::from_str::<Value>(text).is_ok_and(|read| is_plain(&read));
    match value {
        Value::String(text) if is_like_another(text) => format!("\"{text}\""),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text as a part of the name of a folder on any system: what is no letter, digit or one of `+-._` is its bytes.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || "+-._".contains(c) {
            plain.push(c);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| plain.push_str(&format!("%{byte:02X}")));
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn axis(name: &str, values: Value) -> Axis {
        Axis { name: name.to_owned(), values: values.as_array().unwrap().clone() }
    }

    #[test]
    fn points_are_the_product_with_the_last_axis_fastest() {
        let grid = Grid::new(vec![axis("seed", json!([0, 1])), axis("tau", json!([0.1, 0.5, 1.0]))]).unwrap();
        let names: Vec<_> = grid.points().iter().map(Point::name).collect();
        let expected = [
            "seed=0,tau=0.1",
            "seed=0,tau=0.5",
            "seed=0,tau=1.0",
            "seed=1,tau=0.1",
            "seed=1,tau=0.5",
            "seed=1,tau=1.0",
        ];
        assert_eq!(names, expected);
        assert!(grid.points().iter().enumerate().all(|(index, point)| point.index == index));
        assert_eq!(grid.points()[4].words(), "seed 1, tau 0.5");
    }

    /// Different points have different folders, and these no separators.
    #[test]
    fn any_text_names_a_folder() {
        let long = ["x".repeat(300), "x".repeat(301), "ü".repeat(300)];
        let values = json!([
            "a/b",
            "a_b",
            "..",
            "50%",
            "a=1,b=2",
            "ü",
            -1e-7,
            true,
            "1.50",
            "\"1.50\"",
            "\"\"1.50\"\"",
            long[0],
            long[1],
            long[2]
        ]);
        let grid = Grid::new(vec![axis("learning rate", values)]).unwrap();
        let mut names: Vec<_> = grid.points().iter().map(Point::name).collect();
        assert_eq!(names[0], "learning%20rate=a%2Fb");
        assert_eq!(names[6], "learning%20rate=-1e-7");
        assert!(names.iter().all(|name| name.len() <= LONGEST && !name.contains('/')), "{names:?}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 14);
        // Values that are shown alike.
        let name = |value: Value| Grid::new(vec![axis("a", json!([value]))]).unwrap().points()[0].name();
        let alike = [json!(1), json!(1.0), json!("1"), json!("1.0"), json!(true), json!("true")].map(name);
        assert_eq!(alike, ["a=1", "a=1.0", "a=%221%22", "a=%221.0%22", "a=true", "a=%22true%22"]);
    }

    #[test]
    fn what_is_no_sweep_is_refused() {
        let refused = |axes: Vec<Axis>| Grid::new(axes).unwrap_err().to_string();
        assert_eq!(refused(vec![]), "`axes` is empty");
        assert_eq!(refused(vec![axis("tau", json!([]))]), "`tau` has no values");
        assert_eq!(refused(vec![axis("index", json!([1]))]), "`index` is no name for an axis");
        assert_eq!(refused(vec![axis("tau", json!([1, 1.0]))]), "`tau` has 1 twice");
        assert_eq!(refused(vec![axis("tau", json!([[1]]))]), "`tau` takes numbers, texts and truth values, got [1]");
        let long = json!((0..1001).collect::<Vec<i32>>());
        assert_eq!(refused(vec![axis("a", long.clone()), axis("b", long)]), "`axes` has more than 1000000 points");
    }
}
