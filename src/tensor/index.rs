//! Taking tensors apart and writing into them.

use ndarray::{Axis, Slice};

use super::create::refusal;
use super::{Tensor, affordable};
use crate::error::{Error, Result};
use crate::host::Host;

/// What is taken along one axis. Negative numbers count from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// One position; the axis disappears.
    At(i64),
    /// Positions from `start` up to, not including, `end`; `None` is the end of the axis.
    Range(i64, Option<i64>),
}

/// An [`Index`] that was checked against the length of its axis.
enum Taken {
    At(usize),
    Range(usize, usize),
}

impl Index {
    fn check(self, axis: usize, shape: &[usize]) -> Result<Taken> {
        let length = shape[axis];
        let position = |index: i64| if index < 0 { index.saturating_add_unsigned(length as u64) } else { index };
        match self {
            Self::At(index) => {
                usize::try_from(position(index)).ok().filter(|&at| at < length).map(Taken::At).ok_or_else(|| {
                    let hint = match length {
                        0 => "the axis is empty".to_owned(),
                        _ => format!("positions go from 0 to {}, or from -1 back to -{length}", length - 1),
                    };
                    Error::argument("index", format!("{index} is outside axis {axis} of shape {shape:?}"))
                        .with_hint(hint)
                })
            }
            Self::Range(start, end) => {
                let checked = |index: i64| usize::try_from(position(index)).ok().filter(|&at| at <= length);
                match (checked(start), end.map_or(Some(length), checked)) {
                    (Some(first), Some(last)) if first <= last => Ok(Taken::Range(first, last)),
                    _ => {
                        let end = end.map_or(String::new(), |end| end.to_string());
                        let problem = format!("{start}..{end} does not fit axis {axis} of shape {shape:?}");
                        Err(Error::argument("range", problem)
                            .with_hint(format!("start and end go from 0 to {length}, start first")))
                    }
                }
            }
        }
    }
}

impl Tensor {
    /// What `index` takes, one entry for each leading axis; axes without an entry are taken whole.
    ///
    /// # Errors
    /// When there are more entries than axes, or one is out of range.
    pub fn get(&self, index: &[Index]) -> Result<Self> {
        let taken = self.check(index)?;
        let mut array = self.0.clone();
        // From the last axis to the first, so that those that disappear leave the numbers of the others.
        for (axis, taken) in taken.into_iter().enumerate().rev() {
            match taken {
                Taken::At(at) => array = array.index_axis_move(Axis(axis), at),
                Taken::Range(start, end) => array.slice_axis_inplace(Axis(axis), Slice::from(start..end)),
            }
        }
        Ok(Self::contiguous(array))
    }

    /// Writes `value`, repeated as in arithmetic where it is smaller, to what `index` takes.
    ///
    /// # Errors
    /// As [`Tensor::get`], and when `value` does not fit.
    pub fn set(&mut self, index: &[Index], value: &Self) -> Result<()> {
        let taken = self.check(index)?;
        let mut view = self.0.view_mut();
        for (axis, taken) in taken.into_iter().enumerate().rev() {
            match taken {
                Taken::At(at) => view = view.index_axis_move(Axis(axis), at),
                Taken::Range(start, end) => view.slice_axis_inplace(Axis(axis), Slice::from(start..end)),
            }
        }
        match value.0.broadcast(view.raw_dim()) {
            Some(value) => {
                view.assign(&value);
                Ok(())
            }
            None => Err(Error::argument(
                "value",
                format!("of shape {:?} does not fit the place of shape {:?}", value.shape(), view.shape()),
            )),
        }
    }

    /// The positions `indices` along `axis`, in this order; a position may come twice.
    ///
    /// # Errors
    /// When the axis does not exist, a position is out of range, or the memory does not suffice.
    pub fn select(&self, axis: i64, indices: &[i64], host: &Host) -> Result<Self> {
        let axis = self.axis(axis)?;
        let mut shape = self.shape().to_vec();
        shape[axis] = indices.len();
        // The values may be put in order once more.
        let values = 2 * affordable(&shape, host)? as u64;
        host.afford(4.0 * values as f64 + 8.0 * indices.len() as f64, |problem| refusal(&shape, &problem))?;
        let mut positions = Vec::with_capacity(indices.len());
        for &index in indices {
            if let Taken::At(at) = Index::At(index).check(axis, self.shape())? {
                positions.push(at);
            }
        }
        Ok(self.0.select(Axis(axis), &positions).into())
    }

    fn check(&self, index: &[Index]) -> Result<Vec<Taken>> {
        if index.len() > self.rank() {
            return Err(Error::argument(
                "index",
                format!("has {} entries, but shape {:?} has {} axes", index.len(), self.shape(), self.rank()),
            ));
        }
        index.iter().enumerate().map(|(axis, index)| index.check(axis, self.shape())).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::property::cases;

    fn counted(shape: &[usize]) -> Tensor {
        Tensor::new(shape, (0..shape.iter().product()).map(|v: usize| v as f32).collect()).unwrap()
    }

    #[test]
    fn parts() {
        let t = counted(&[3, 4]);
        let part = |index: &[Index]| {
            let part = t.get(index).unwrap();
            (part.shape().to_vec(), part.values().into_owned())
        };
        assert_eq!(part(&[Index::At(1)]), (vec![4], vec![4.0, 5.0, 6.0, 7.0]));
        assert_eq!(part(&[Index::At(-1), Index::At(0)]), (vec![], vec![8.0]));
        assert_eq!(part(&[Index::Range(1, None), Index::At(-2)]), (vec![2], vec![6.0, 10.0]));
        assert_eq!(part(&[Index::Range(-1, None), Index::Range(0, Some(2))]), (vec![1, 2], vec![8.0, 9.0]));
        assert_eq!(part(&[Index::Range(3, Some(3))]), (vec![0, 4], vec![]));
        assert_eq!(
            t.select(1, &[3, 0, -1], &Host::default()).unwrap().get(&[Index::At(0)]).unwrap().values()[..],
            [3.0, 0.0, 3.0]
        );
        assert_eq!(t.select(0, &[], &Host::default()).unwrap().shape(), [0, 4]);
    }

    #[test]
    fn writing_leaves_copies_alone() {
        let mut t = counted(&[2, 3]);
        let (copy, row) = (t.clone(), t.get(&[Index::At(0)]).unwrap());
        t.set(&[Index::At(0)], &Tensor::scalar(9.0)).unwrap();
        t.set(&[Index::Range(0, None), Index::At(2)], &counted(&[2])).unwrap();
        assert_eq!(t.values()[..], [9.0, 9.0, 0.0, 3.0, 4.0, 1.0]);
        assert_eq!(copy, counted(&[2, 3]));
        assert_eq!(row.values()[..], [0.0, 1.0, 2.0]);
    }

    #[test]
    fn outside_is_refused() {
        let t = counted(&[3, 4]);
        let problem = |index: &[Index]| t.get(index).expect_err("outside").to_string();
        assert_eq!(problem(&[Index::At(3)]), "`index` 3 is outside axis 0 of shape [3, 4]");
        assert_eq!(problem(&[Index::At(0), Index::At(-5)]), "`index` -5 is outside axis 1 of shape [3, 4]");
        assert_eq!(problem(&[Index::Range(2, Some(1))]), "`range` 2..1 does not fit axis 0 of shape [3, 4]");
        assert_eq!(problem(&[Index::Range(4, None)]), "`range` 4.. does not fit axis 0 of shape [3, 4]");
        assert!(problem(&[Index::At(0); 3]).contains("3 entries, but shape [3, 4] has 2 axes"));
        let error = t.clone().set(&[Index::At(0)], &counted(&[3])).unwrap_err();
        assert_eq!(error.to_string(), "`value` of shape [3] does not fit the place of shape [4]");
        assert!(t.select(2, &[0], &Host::default()).unwrap_err().to_string().contains("2 does not exist"));
        assert!(t.select(0, &[3], &Host::default()).unwrap_err().to_string().contains("3 is outside axis 0"));
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn no_index_panics(shape in proptest::collection::vec(0_usize..4, 0..4),
                           index in proptest::collection::vec((-5_i64..5, proptest::option::of(-5_i64..5), 0..2), 0..4)) {
            let index: Vec<_> = index
                .into_iter()
                .map(|(start, end, kind)| if kind == 0 { Index::At(start) } else { Index::Range(start, end) })
                .collect();
            let mut t = counted(&shape);
            if let Ok(part) = t.get(&index) {
                prop_assert_eq!(part.values().len(), part.shape().iter().product::<usize>());
                t.set(&index, &part).unwrap();
            }
            prop_assert_eq!(t, counted(&shape));
            for extreme in [i64::MIN, i64::MAX] {
                prop_assert!(counted(&shape).get(&[Index::At(extreme)]).is_err());
            }
        }
    }
}
