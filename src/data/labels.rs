//! Labels of data, and the classes that they form.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The label of each point, and the classes: what labels there are, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Labels {
    /// Of each point; none where there are no points, or they have no labels.
    each: Vec<String>,
    classes: Vec<String>,
    /// The place of each point's label among the classes.
    indices: Vec<u32>,
}

impl Labels {
    /// Labels of points. Classes are in the order of their numbers where all are numbers, else in that of the alphabet.
    pub(super) fn new(each: Vec<String>) -> Self {
        let mut places: BTreeMap<&str, u32> = each.iter().map(|label| (label.as_str(), 0)).collect();
        let mut classes: Vec<String> = places.keys().map(|&label| label.to_owned()).collect();
        let number = |label: &str| label.parse::<f64>().ok().filter(|number| number.is_finite());
        if classes.iter().all(|label| number(label).is_some()) {
            let by_number = |a: &String, b: &String| number(a).partial_cmp(&number(b)).unwrap_or(Ordering::Equal);
            classes.sort_by(by_number);
        }
        for (place, class) in classes.iter().enumerate() {
            places.insert(class, place as u32);
        }
        let indices = each.iter().map(|label| places[label.as_str()]).collect();
        Self { classes, indices, each }
    }

    /// Classes 0, 1, .. of what has no points; one class is none.
    pub(super) fn of_law(classes: usize) -> Self {
        let classes = if classes > 1 { (0..classes).map(|class| class.to_string()).collect() } else { Vec::new() };
        Self { classes, ..Self::default() }
    }

    /// Those of the points at `rows`, in this order. The classes stay, also those that no point is left of: their
    /// numbers mean the same in all parts.
    pub(super) fn part(&self, rows: &[usize]) -> Self {
        if self.each.is_empty() {
            return self.clone();
        }
        Self {
            each: rows.iter().map(|&row| self.each[row].clone()).collect(),
            classes: self.classes.clone(),
            indices: rows.iter().map(|&row| self.indices[row]).collect(),
        }
    }

    /// Points of these classes.
    pub(super) fn of_indices(&self, indices: Vec<u32>) -> Self {
        let each = indices.iter().map(|&class| self.classes[class as usize].clone()).collect();
        Self { each, classes: self.classes.clone(), indices }
    }

    pub(super) fn each(&self) -> &[String] {
        &self.each
    }

    pub(super) fn classes(&self) -> &[String] {
        &self.classes
    }

    pub(super) fn indices(&self) -> &[u32] {
        &self.indices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(each: &[&str]) -> Labels {
        Labels::new(each.iter().map(|label| (*label).to_owned()).collect())
    }

    #[test]
    fn classes_have_the_order_of_their_numbers() {
        let ten = labels(&["10", "9", "-1", "9"]);
        assert_eq!(ten.classes(), ["-1", "9", "10"]);
        assert_eq!(ten.indices(), [2, 1, 0, 1]);
        let words = labels(&["10", "9", "cat"]);
        assert_eq!((words.classes(), words.indices()), (&["10", "9", "cat"].map(String::from)[..], &[0, 1, 2][..]));
        assert_eq!(labels(&["nan", "2", "10"]).classes(), ["10", "2", "nan"]);
        assert_eq!(labels(&["1", "1.0"]).classes(), ["1", "1.0"]);
    }

    #[test]
    fn parts_keep_the_numbers_of_classes() {
        let all = labels(&["b", "a", "c", "b"]);
        let part = all.part(&[3, 2]);
        assert_eq!((part.each(), part.indices()), (&["b", "c"].map(String::from)[..], &[1, 2][..]));
        assert_eq!(part.classes(), all.classes());
        assert_eq!(Labels::default().part(&[0, 1]), Labels::default());
        assert_eq!(Labels::of_law(2).of_indices(vec![1, 0]).each(), ["1", "0"]);
        assert!(Labels::of_law(1).classes().is_empty());
    }
}
