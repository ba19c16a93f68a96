//! Parts of finite data, and data drawn with their labels.

use super::labels::Labels;
use super::points::Points;
use super::{BLOCK, Dataset, Inner};
use crate::error::{Error, Result, suggestion};
use crate::rng::{Purpose, Stream};
use crate::task::Task;
use crate::tensor::{Tensor, number};

impl Dataset {
    /// The points of the class `label`. Normalised data stay in the units of the whole.
    ///
    /// # Errors
    /// When no point has this label, or they do not fit into memory.
    pub fn of_class(&self, label: &str, task: &Task) -> Result<Self> {
        self.finite()?;
        if self.classes().is_empty() {
            return Err(self.without_labels());
        }
        let labels = self.labels().iter().enumerate();
        let rows: Vec<_> = labels.filter(|(_, own)| *own == label).map(|(row, _)| row).collect();
        if rows.is_empty() {
            // Numbers that look alike are not taken for one another by a slip.
            let is_number = label.parse::<f64>().is_ok();
            let hint = match is_number {
                true => format!("there are {}", self.classes().join(", ")),
                false => suggestion(label, self.classes(), "there are"),
            };
            return Err(
                Error::argument("label", format!("{label:?} has no point of `{}`", self.name())).with_hint(hint)
            );
        }
        let labels = Labels::new(vec![label.to_owned(); rows.len()]);
        self.part(&rows, labels, task)
    }

    /// Two parts of finite data that share no point: one to train on, and the part `test` of all to test with. Each
    /// point is as likely as any other to be in either, whatever its label; the points stay in their order, and both
    /// parts have the classes of the whole. Normalised data stay in the units of the whole.
    ///
    /// # Errors
    /// When one of the parts would have no point, or they do not fit into memory.
    pub fn split(&self, test: f64, seed: u64, task: &Task) -> Result<[Self; 2]> {
        let count = self.finite()?.tensor().shape()[0];
        let tested = (test * count as f64).round();
        if count < 3 && !(tested >= 1.0 && tested < count as f64) {
            let problem = format!("of `{}` are too few to part: {count}, and {test} of them to test with", self.name());
            return Err(Error::argument("data", problem).with_hint("two points are parted by test: 0.5"));
        }
        if !(tested >= 1.0 && tested < count as f64) {
            let problem = format!("of {test} leaves one of the two parts of {count} points without any");
            let most = (count as f64 - 1.0) / count as f64;
            let hint = format!("{count} points take a `test` from {} to {}", number(1.0 / count as f64), number(most));
            return Err(Error::argument("test", problem).with_hint(hint));
        }
        let mut order = Stream::new(seed, Purpose::Split).permutation(count);
        let mut trained = order.split_off(tested as usize);
        order.sort_unstable();
        trained.sort_unstable();
        let part = |rows: Vec<usize>| self.part(&rows, self.0.labels.part(&rows), task);
        Ok([part(trained)?, part(order)?])
    }

    /// The data of [`Dataset::sample`] as finite data with their labels.
    ///
    /// # Errors
    /// When the data have no classes, and as [`Dataset::sample`].
    pub fn labelled(&self, count: usize, seed: u64, task: &Task) -> Result<Self> {
        if self.classes().is_empty() {
            return Err(self.without_labels());
        }
        let sample = self.sample(count, seed, task)?;
        let stream = Stream::new(seed, Purpose::Data);
        let mut indices = vec![0; count.next_multiple_of(BLOCK)];
        for (block, classes) in indices.chunks_mut(BLOCK).enumerate() {
            self.draw_classes(&stream, 0, block as u32, classes);
        }
        indices.truncate(count);
        Ok(Self::from_points(self.name(), &sample)?.labelled_by(self.0.labels.of_indices(indices)))
    }

    /// What is wrong with data without labels where these are needed.
    pub(crate) fn without_labels(&self) -> Error {
        Error::argument("data", format!("of `{}` have no labels", self.name()))
            .with_hint("give them: dataset::from_array(points, #{ labels: [..] })")
    }

    fn finite(&self) -> Result<&Points> {
        self.finite_points().ok_or_else(|| {
            let problem = format!("must be finite, and `{}` is a law that is drawn from", self.name());
            let hint = match self.classes() {
                [] => "draw points first: dataset::from_array(data.sample(1000, 1))",
                _ => "draw points with their labels first: data.labelled(1000, 1)",
            };
            Error::argument("data", problem).with_hint(hint)
        })
    }

    fn part(&self, rows: &[usize], labels: Labels, task: &Task) -> Result<Self> {
        let bytes = 12.0 * (rows.len() * self.dimension()) as f64;
        task.host().afford(bytes, |problem| Error::argument("data", format!("in parts {problem}")))?;
        let part = Self::of_points(self.name(), self.finite()?.part(rows)?);
        let (units, columns) = (self.units().cloned(), self.columns().to_vec());
        Ok(Self::of_inner(Inner { columns, units, labels, ..Self::into_inner(part) }))
    }
}

impl Points {
    /// Those at `rows`, in this order.
    fn part(&self, rows: &[usize]) -> Result<Self> {
        let width: usize = self.datum_shape().iter().product();
        let pick = |values: &[f32]| rows.iter().flat_map(|&row| &values[row * width..][..width]).copied().collect();
        let shape = [&[rows.len()], self.datum_shape()].concat();
        let tensor = Tensor::new(&shape, pick(&self.tensor().values()))?;
        Self::with_rest(&tensor, self.rest().map(pick))
    }
}
