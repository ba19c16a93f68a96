//! What tells data from other data.

use crc32fast::Hasher;

use super::Dataset;
use crate::rng::{Purpose, Stream};

/// Data that are drawn of a law.
const DRAWN: usize = 1024;

impl Dataset {
    /// A number by which data are known again: that of all points of finite data, else of some draws, with their
    /// moments and classes. Names and labels without a class of their own do not count.
    pub fn fingerprint(&self) -> u32 {
        let mut hasher = Hasher::new();
        let mut add = |values: &[f32]| values.iter().for_each(|value| hasher.update(&value.to_bits().to_le_bytes()));
        let (stream, mut drawn) = (Stream::new(0, Purpose::Data), vec![0.0; DRAWN * self.dimension()]);
        self.draw_deviations(&stream, 0, 0, &mut drawn);
        add(&drawn);
        if let Some(points) = self.finite_points() {
            add(&points.tensor().values());
            add(points.rest().unwrap_or_default());
        }
        let moments = self.moments();
        let axes = moments.axes.iter().flat_map(|axes| axes.as_slice());
        for number in moments.mean.iter().chain(&moments.variances).chain(axes) {
            hasher.update(&number.to_bits().to_le_bytes());
        }
        for length in self.shape() {
            hasher.update(&(*length as u64).to_le_bytes());
        }
        for class in self.classes() {
            hasher.update(class.as_bytes());
            hasher.update(&[0]);
        }
        for class in self.class_indices() {
            hasher.update(&class.to_le_bytes());
        }
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    #[test]
    fn other_data_have_another_fingerprint() {
        let points = |values: &[f32]| {
            Dataset::from_points("p", &Tensor::new(&[values.len() / 2, 2], values.to_vec()).unwrap()).unwrap()
        };
        let labelled = |label: &str| {
            points(&[1.0, 2.0, 3.0, 4.0]).with_labels(vec!["a".to_owned(), label.to_owned()]).unwrap().fingerprint()
        };
        let mixture = |std: f64| Dataset::diamond(0.5, std).unwrap().fingerprint();
        let all = [
            points(&[1.0, 2.0, 3.0, 4.0]).fingerprint(),
            points(&[3.0, 4.0, 1.0, 2.0]).fingerprint(),
            points(&[1.0, 2.0, 3.0, 4.000001]).fingerprint(),
            labelled("a"),
            labelled("b"),
            mixture(0.04),
            mixture(0.040_000_1),
            Dataset::swiss_rolls().fingerprint(),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[..i].contains(one), "{i} of {all:?}");
        }
        assert_eq!(mixture(0.04), all[5]);
    }
}
