use super::super::{Form, Left, Matrix, PANEL, Packed, Right, Shape, add_product, multiply};
use super::taps::TAPS;
use super::*;
use crate::rng::{Purpose, Stream};

fn normals(block: u32, count: usize) -> Vec<f32> {
    let mut values = vec![0.0; count];
    Stream::new(1, Purpose::Script).normals(0, block, &mut values);
    values
}

/// Root of the mean squared distance by that of the second.
fn distance(found: &[f32], expected: &[f64]) -> f64 {
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let difference = squares(&mut found.iter().zip(expected).map(|(found, expected)| f64::from(*found) - expected));
    (difference / squares(&mut expected.iter().copied())).sqrt()
}

/// An image, its taps and a gradient by the answer.
struct Case {
    side: usize,
    channels: usize,
    is_periodic: bool,
    image: Vec<f32>,
    weight: Vec<f32>,
    upstream: Vec<f32>,
}

impl Case {
    fn new(side: usize, channels: usize, is_periodic: bool) -> Self {
        let [image, upstream] = [1, 2].map(|block| normals(block, side * side * channels));
        Self { side, channels, is_periodic, image, weight: normals(3, TAPS * channels * channels), upstream }
    }

    /// Calls `term` with the places of the numbers of image, taps and answer that meet in the sum as it is written.
    fn terms(&self, mut term: impl FnMut(usize, usize, usize)) {
        let Self { side, channels, .. } = *self;
        let place = |place: usize| match place {
            place if self.is_periodic => Some((place + side - 1) % side),
            place => (1..=side).contains(&place).then(|| place - 1),
        };
        for (y, x, tap) in (0..side * side * TAPS).map(|i| (i / TAPS / side, i / TAPS % side, i % TAPS)) {
            let (Some(row), Some(column)) = (place(y + tap / 3), place(x + tap % 3)) else { continue };
            for (c, k) in (0..channels * channels).map(|i| (i / channels, i % channels)) {
                let image = (row * side + column) * channels + c;
                term(image, (tap * channels + c) * channels + k, (y * side + x) * channels + k);
            }
        }
    }

    /// The answer, the gradient by the image and that by the taps.
    fn filtered(&self) -> [Vec<f32>; 3] {
        let Self { side, channels, is_periodic, .. } = *self;
        let tiling = Tiling::new(side, side, is_periodic);
        let tiles = 0..tiling.tiles();
        let place = 0..self.weight.len();
        let form = Form::Points;
        let matrix = Matrix { rows: POINTS * channels, columns: channels, place, form, is_transposed: true };
        let mut packed = Packed::new([matrix]);
        packed.fill(&self.weight);
        let stride = tiles.len() * channels;
        let [mut points, mut products] = [0, 0].map(|_| vec![f32::NAN; POINTS * tiles.len() * channels.max(PANEL)]);
        let panels = |number: usize| {
            let first = number * PANEL;
            Channels { first, width: PANEL.min(channels - first), all: channels }
        };
        let [answer, by_image] = [(false, &self.image), (true, &self.upstream)].map(|(is_transposed, values)| {
            let mut out = vec![0.0; values.len()];
            enter_tiles(&tiling, tiles.clone(), channels, values, &mut points, stride);
            for (number, taps) in packed.panels(0, is_transposed).enumerate() {
                let panel = panels(number);
                let shape = Shape { rows: tiles.len(), depth: channels, columns: panel.width };
                for (point, taps) in taps.chunks_exact(channels * PANEL).enumerate() {
                    let (left, out) = (Left::Rows(&points[point * stride..]), &mut products[point * stride..]);
                    multiply(shape, left, Right::Panels(taps), out, &mut []);
                }
                leave_tiles(
                    &tiling,
                    tiles.clone(),
                    panel,
                    &products,
                    stride,
                    (!is_transposed).then_some(&[][..]),
                    &mut out,
                );
            }
            out
        });
        let mut by_weight = vec![f32::NAN; self.weight.len()];
        enter_tiles(&tiling, tiles.clone(), channels, &self.image, &mut points, stride);
        for number in 0..channels.div_ceil(PANEL) {
            let panel = panels(number);
            let stride = tiles.len() * PANEL;
            scatter_tiles(&tiling, tiles.clone(), panel, &self.upstream, &mut products, stride);
            let mut sums = vec![0.0; POINTS * channels * panel.width];
            let shape = Shape { rows: channels, depth: tiles.len(), columns: panel.width };
            for (point, sum) in sums.chunks_exact_mut(channels * panel.width).enumerate() {
                let left = Left::Columns(&points[point * tiles.len() * channels..]);
                add_product(shape, left, Right::Panels(&products[point * stride..]), sum, &mut []);
            }
            taps_of_points(&sums, panel, &mut by_weight);
        }
        [answer, by_image, by_weight]
    }
}

/// Against sums in double precision, beside the same sums in single precision. Seen to fail with a sign of B
/// exchanged.
#[test]
fn filtering_is_the_sum_as_it_is_written() {
    for (side, channels, is_periodic) in [(8, 64, false), (7, 40, false), (8, 32, true), (5, 24, true)] {
        let case = Case::new(side, channels, is_periodic);
        let size = case.image.len();
        let mut expected = [vec![0.0; size], vec![0.0; size], vec![0.0; case.weight.len()]];
        let mut plain = [vec![0.0_f32; size], vec![0.0; size], vec![0.0; case.weight.len()]];
        case.terms(|image, tap, answer| {
            let [d, g, e] = [case.image[image], case.weight[tap], case.upstream[answer]];
            for (place, number, [a, b]) in [(0, answer, [d, g]), (1, image, [e, g]), (2, tap, [d, e])] {
                expected[place][number] += f64::from(a) * f64::from(b);
                plain[place][number] = a.mul_add(b, plain[place][number]);
            }
        });
        for ((found, plain), expected) in case.filtered().iter().zip(&plain).zip(&expected) {
            let (error, plain) = (distance(found, expected), distance(plain, expected));
            assert!(error < 4.0 * plain, "{side}, {channels}: {error} where the sum itself has {plain}");
        }
    }
}
