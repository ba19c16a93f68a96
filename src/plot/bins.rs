//! Counting points into cells: densities in one and two dimensions.

use super::axes::Range;

/// Numbers on equal cells of a rectangle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    /// Cells along x and y.
    pub(super) shape: [usize; 2],
    /// [y, x] row-major, the lowest y first; where one is not finite there is none.
    pub(super) values: Vec<f64>,
    /// What the cells cover.
    pub(super) x: Range,
    pub(super) y: Range,
}

/// The density of `points`, their share per unit of area, on `shape` cells of the rectangle `x` × `y`, on which both
/// axes are linear. Points outside still count for the normalisation: what is seen is a part of a density with
/// integral 1.
pub(super) fn grid(points: &[[f64; 2]], x: Range, y: Range, shape: [usize; 2]) -> Grid {
    let mut counts = vec![0u32; shape[0] * shape[1]];
    for point in points.iter().filter(|point| x.holds(point[0]) && y.holds(point[1])) {
        counts[cell(y, point[1], shape[1]) * shape[0] + cell(x, point[0], shape[0])] += 1;
    }
    let area = x.length() * y.length() / (shape[0] * shape[1]) as f64;
    let unit = 1.0 / (points.len() as f64 * area);
    Grid { shape, values: counts.into_iter().map(|count| f64::from(count) * unit).collect(), x, y }
}

/// −ln of the numbers of a grid over the largest of them; none where they are 0.
pub(super) fn free_energy(density: Grid) -> Grid {
    let most = density.values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let energy = |density: f64| if density > 0.0 { -(density / most).ln() + 0.0 } else { f64::NAN };
    Grid { values: density.values.iter().map(|&density| energy(density)).collect(), ..density }
}

/// The density of `values` on `count` equal cells of `range`, a linear axis; normalised as in [`grid`].
pub(super) fn histogram(values: &[f64], range: Range, count: usize) -> Vec<f64> {
    let mut counts = vec![0u32; count];
    for &value in values.iter().filter(|&&value| range.holds(value)) {
        counts[cell(range, value, count)] += 1;
    }
    let unit = count as f64 / (values.len() as f64 * range.length());
    counts.into_iter().map(|count| f64::from(count) * unit).collect()
}

/// The cell of a value within the range; the upper end belongs to the last one.
pub(super) fn cell(range: Range, value: f64, count: usize) -> usize {
    ((range.fraction(value) * count as f64) as usize).min(count - 1)
}

/// Cells along the longer side of a two-dimensional density of `points` points: finer than the n^(1/4) that is best for
/// smooth densities, since the data here often are sharp clusters in empty space.
pub(super) fn grid_cells(points: usize) -> usize {
    ((0.8 * (points as f64).sqrt()) as usize).clamp(20, 160)
}

/// Cells of a histogram over `range`: width 2 IQR n^(-1/3) (Freedman and Diaconis 1981).
pub(super) fn histogram_cells(values: &mut [f64], range: Range) -> usize {
    let last = values.len() - 1;
    let lower = *values.select_nth_unstable_by(last / 4, f64::total_cmp).1;
    let upper = *values.select_nth_unstable_by(last - last / 4, f64::total_cmp).1;
    let width = 2.0 * (upper - lower) / (values.len() as f64).cbrt();
    // No spread gives an infinite number of cells, which the cast saturates and the clamp tames.
    ((range.length() / width).ceil() as usize).clamp(10, 120)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::axes::Scale;
    use super::*;
    use crate::property::cases;

    fn range(low: f64, high: f64) -> Range {
        Range::between([low, high], Scale::Linear)
    }

    #[test]
    fn a_point_falls_into_its_cell() {
        let grid = grid(&[[0.9, 0.1], [0.95, 0.2], [5.0, 5.0], [1.0, 1.0]], range(0.0, 1.0), range(0.0, 1.0), [2, 2]);
        // Two, then one of four points in cells of area 1/4; the one outside counts in the norm.
        assert_eq!(grid.values, [0.0, 2.0, 0.0, 1.0]);
        let energy = free_energy(grid).values;
        assert!(energy[0].is_nan() && energy[1] == 0.0 && (energy[3] - 2_f64.ln()).abs() < 1e-15, "{energy:?}");
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn densities_integrate_to_one(values in prop::collection::vec(-3.0..7.0f64, 1..200), count in 1..40usize) {
            let over = range(-3.0, 7.0);
            let mass: f64 = histogram(&values, over, count).iter().sum::<f64>() * 10.0 / count as f64;
            prop_assert!((mass - 1.0).abs() < 1e-12);
            let points: Vec<[f64; 2]> = values.iter().map(|&v| [v, -v]).collect();
            let cells = grid(&points, over, range(-7.0, 3.0), [count, 3]);
            prop_assert!((cells.values.iter().sum::<f64>() * 100.0 / (3 * count) as f64 - 1.0).abs() < 1e-12);
        }

        #[test]
        fn the_number_of_cells_is_sane(mut values in prop::collection::vec(-1e3..1e3f64, 1..300)) {
            let over = range(-1e3, 1e3);
            prop_assert!((10..=120).contains(&histogram_cells(&mut values, over)));
        }
    }
}
