//! Convolutions of 3×3 taps by Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray, arXiv 1509.09308): an image is
//! cut into tiles of 2×2 pixels, each read with the pixels around it, 4×4. With d these, g the taps, and
//!
//! ```text
//! Bᵀ = [1  0 -1  0]    G = [ 1    0    0 ]    Aᵀ = [1  1  1  0]
//!      [0  1  1  0]        [1/2  1/2  1/2]         [0  1 -1 -1]
//!      [0 -1  1  0]        [1/2 -1/2  1/2]
//!      [0  1  0 -1]        [ 0    0    1 ]
//! ```
//!
//! a tile of the answer is Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A: 16 multiplications where the sum as it is written has 36. Over
//! channels each of the 16 [`POINTS`] is a product of matrices, with tiles as rows. The gradient by the taps is, with e
//! the gradient by a tile of the answer, Gᵀ [(Bᵀ d B) ⊙ (A e Aᵀ)] G, summed over tiles.
//!
//! Errors against sums in double precision, relative in the root of the mean square, with uniform numbers, 32 to 128
//! channels and 2 images of 8² to 32² pixels: of the answer 1.8e-7 to 3.5e-7, where the direct products have 3.0e-7 to
//! 5.9e-7 (their sums are longer); of the gradient by the taps 2.4e-7 to 2.5e-6, where these have 1.9e-7 to 8.1e-7.
//! Answers of the whole U-Net of the library differ from those by direct products by 1.1e-6, as these do from Candle's
//! by 1.6e-6, and its gradients by 1.2e-6.

use std::ops::Range;

use super::product::PANEL;
use crate::dispatched;

/// Products that make a convolution.
pub(in crate::nn) const POINTS: usize = 16;

/// Taps of a window.
const TAPS: usize = 9;

/// Pixels along each side of what a tile is made of.
const REACH: usize = 4;

/// Where zeros stand beyond the image.
const OUTSIDE: usize = usize::MAX;

/// How images are cut into tiles, which are numbered image by image and row by row.
#[derive(Debug)]
pub(in crate::nn) struct Tiling {
    height: usize,
    width: usize,
    /// The rows of pixels that each row of tiles reads.
    rows: Vec<[usize; REACH]>,
    /// The columns of pixels that each column of tiles reads.
    columns: Vec<[usize; REACH]>,
}

impl Tiling {
    /// Of images of that many pixels, with zeros around them or with the other side.
    pub(in crate::nn) fn new(height: usize, width: usize, is_periodic: bool) -> Self {
        let place = |place: usize, side: usize| match place {
            // One less, since a window begins a pixel before its middle.
            place if is_periodic => (place + side - 1) % side,
            place if (1..=side).contains(&place) => place - 1,
            _ => OUTSIDE,
        };
        let along =
            |side: usize| (0..side).step_by(2).map(|first| [0, 1, 2, 3].map(|i| place(first + i, side))).collect();
        Self { height, width, rows: along(height), columns: along(width) }
    }

    /// Tiles of an image.
    pub(in crate::nn) fn tiles(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The image, the row and the column of a tile.
    #[inline(always)]
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let (image, tile) = (tile / self.tiles(), tile % self.tiles());
        (image, tile / self.columns.len(), tile % self.columns.len())
    }

    /// Where the pixels that a tile reads stand in images of `channels`, row by row; [`OUTSIDE`] for zeros.
    #[inline(always)]
    fn sources(&self, tile: usize, channels: usize) -> [usize; POINTS] {
        let (image, row, column) = self.place(tile);
        let mut sources = [OUTSIDE; POINTS];
        for (i, &y) in self.rows[row].iter().enumerate().filter(|(_, y)| **y != OUTSIDE) {
            for (j, &x) in self.columns[column].iter().enumerate().filter(|(_, x)| **x != OUTSIDE) {
                sources[REACH * i + j] = ((image * self.height + y) * self.width + x) * channels;
            }
        }
        sources
    }

    /// Where the pixels of a tile stand, row by row; [`OUTSIDE`] where a side is odd.
    #[inline(always)]
    fn targets(&self, tile: usize, channels: usize) -> [usize; 4] {
        let (image, row, column) = self.place(tile);
        let mut targets = [OUTSIDE; 4];
        for (i, target) in targets.iter_mut().enumerate() {
            let (y, x) = (2 * row + i / 2, 2 * column + i % 2);
            if y < self.height && x < self.width {
                *target = ((image * self.height + y) * self.width + x) * channels;
            }
        }
        targets
    }
}

/// `LANES` numbers from `place` on; zeros beyond the image.
#[inline(always)]
fn read<const LANES: usize>(values: &[f32], place: usize, channel: usize) -> [f32; LANES] {
    let mut vector = [0.0; LANES];
    if place != OUTSIDE {
        vector.copy_from_slice(&values[place + channel..][..LANES]);
    }
    vector
}

#[inline(always)]
fn combine<const LANES: usize>(a: [f32; LANES], b: [f32; LANES], function: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    for i in 0..LANES {
        out[i] = function(a[i], b[i]);
    }
    out
}

#[inline(always)]
fn plus<const LANES: usize>(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
    combine(a, b, |a, b| a + b)
}

#[inline(always)]
fn minus<const LANES: usize>(a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
    combine(a, b, |a, b| a - b)
}

/// Bᵀ v.
#[inline(always)]
fn spread<const LANES: usize>(v: [[f32; LANES]; 4]) -> [[f32; LANES]; 4] {
    [minus(v[0], v[2]), plus(v[1], v[2]), minus(v[2], v[1]), minus(v[1], v[3])]
}

/// Aᵀ v.
#[inline(always)]
fn collect<const LANES: usize>(v: [[f32; LANES]; 4]) -> [[f32; LANES]; 2] {
    [plus(plus(v[0], v[1]), v[2]), minus(minus(v[1], v[2]), v[3])]
}

/// A v.
#[inline(always)]
fn scatter<const LANES: usize>(v: [[f32; LANES]; 2]) -> [[f32; LANES]; 4] {
    [v[0], plus(v[0], v[1]), minus(v[0], v[1]), minus([0.0; LANES], v[1])]
}

/// Calls a function with the beginnings of vectors of `$lanes` numbers that cover `$width`, and with the constant 1 for
/// the numbers that are left.
macro_rules! in_vectors {
    ($lanes:ident, $width:expr, |$channel:ident| $function:ident($($argument:expr),*)) => {
        let whole = $width / $lanes * $lanes;
        for $channel in (0..whole).step_by($lanes) {
            $function::<$lanes>($($argument),*);
        }
        for $channel in whole..$width {
            $function::<1>($($argument),*);
        }
    };
}

#[inline(always)]
fn enter_vector<const LANES: usize>(
    values: &[f32],
    sources: &[usize; POINTS],
    channel: usize,
    out: &mut [f32],
    stride: usize,
) {
    let mut rows = [[[0.0; LANES]; 4]; 4];
    for j in 0..4 {
        let mut pixels = [[0.0; LANES]; 4];
        for i in 0..4 {
            pixels[i] = read(values, sources[4 * i + j], channel);
        }
        let pixels = spread(pixels);
        for i in 0..4 {
            rows[i][j] = pixels[i];
        }
    }
    for i in 0..4 {
        let points = spread(rows[i]);
        for j in 0..4 {
            out[(4 * i + j) * stride + channel..][..LANES].copy_from_slice(&points[j]);
        }
    }
}

dispatched! {
    /// Writes Bᵀ d B of `tiles` to `out`: point p of the t-th of them, \[channels\], at p · `stride` + t · channels.
    pub(in crate::nn) fn enter_tiles<LANES>(
        tiling: &Tiling, tiles: Range<usize>, channels: usize, values: &[f32], out: &mut [f32], stride: usize,
    ) {
        for (number, tile) in tiles.enumerate() {
            let sources = tiling.sources(tile, channels);
            let out = &mut out[number * channels..];
            in_vectors!(LANES, channels, |channel| enter_vector(values, &sources, channel, out, stride));
        }
    }
}

/// A few neighbouring channels of many.
#[derive(Clone, Copy)]
pub(in crate::nn) struct Channels {
    pub(in crate::nn) first: usize,
    pub(in crate::nn) width: usize,
    pub(in crate::nn) all: usize,
}

#[inline(always)]
fn leave_vector<const LANES: usize>(
    points: &[f32],
    stride: usize,
    channel: usize,
    bias: Option<&[f32]>,
    targets: &[usize; 4],
    out: &mut [f32],
) {
    let mut rows = [[[0.0; LANES]; 4]; 2];
    for j in 0..4 {
        let mut column = [[0.0; LANES]; 4];
        for i in 0..4 {
            column[i].copy_from_slice(&points[(4 * i + j) * stride + channel..][..LANES]);
        }
        let column = collect(column);
        for i in 0..2 {
            rows[i][j] = column[i];
        }
    }
    for i in 0..2 {
        let pixels = collect(rows[i]);
        for j in 0..2 {
            let target = targets[2 * i + j];
            if target != OUTSIDE {
                let mut pixel = pixels[j];
                let out = &mut out[target + channel..][..LANES];
                let mut more = [0.0; LANES];
                match bias {
                    Some([]) => {}
                    Some(bias) => {
                        more.copy_from_slice(&bias[channel..][..LANES]);
                        pixel = plus(pixel, more);
                    }
                    None => {
                        more.copy_from_slice(out);
                        pixel = plus(more, pixel);
                    }
                }
                out.copy_from_slice(&pixel);
            }
        }
    }
}

dispatched! {
    /// Writes Aᵀ m A of `tiles` plus a `bias`, which may be empty, to some channels of images; adds it there without
    /// one. `points` are as [`enter_tiles`] leaves them, of these channels.
    pub(in crate::nn) fn leave_tiles<LANES>(
        tiling: &Tiling, tiles: Range<usize>, channels: Channels, points: &[f32], stride: usize,
        bias: Option<&[f32]>, out: &mut [f32],
    ) {
        let Channels { first, width, all } = channels;
        for (number, tile) in tiles.enumerate() {
            let targets = tiling.targets(tile, all);
            let (points, out) = (&points[number * width..], &mut out[first..]);
            in_vectors!(LANES, width, |channel| leave_vector(points, stride, channel, bias, &targets, out));
        }
    }
}

#[inline(always)]
fn scatter_vector<const LANES: usize>(
    values: &[f32],
    targets: &[usize; 4],
    channel: usize,
    out: &mut [f32],
    stride: usize,
) {
    let mut rows = [[[0.0; LANES]; 2]; 4];
    for j in 0..2 {
        let column = scatter([read(values, targets[j], channel), read(values, targets[2 + j], channel)]);
        for i in 0..4 {
            rows[i][j] = column[i];
        }
    }
    for i in 0..4 {
        let points = scatter(rows[i]);
        for j in 0..4 {
            out[(4 * i + j) * stride + channel..][..LANES].copy_from_slice(&points[j]);
        }
    }
}

dispatched! {
    /// Writes A e Aᵀ of some channels of `tiles` to `out`: point p of the t-th of them, [`PANEL`] numbers of which the
    /// first are these channels, at p · `stride` + t · PANEL.
    pub(in crate::nn) fn scatter_tiles<LANES>(
        tiling: &Tiling, tiles: Range<usize>, channels: Channels, values: &[f32], out: &mut [f32], stride: usize,
    ) {
        let Channels { first, width, all } = channels;
        for (number, tile) in tiles.enumerate() {
            let targets = tiling.targets(tile, all);
            let (values, out) = (&values[first..], &mut out[number * PANEL..]);
            in_vectors!(LANES, width, |channel| scatter_vector(values, &targets, channel, out, stride));
        }
    }
}

/// G v.
#[inline(always)]
fn spread_taps<const LANES: usize>(v: [[f32; LANES]; 3]) -> [[f32; LANES]; 4] {
    let outer = plus(v[0], v[2]);
    [v[0], combine(outer, v[1], |a, b| 0.5 * (a + b)), combine(outer, v[1], |a, b| 0.5 * (a - b)), v[2]]
}

/// Gᵀ v.
#[inline(always)]
fn collect_taps<const LANES: usize>(v: [[f32; LANES]; 4]) -> [[f32; LANES]; 3] {
    let sum = combine(v[1], v[2], |a, b| 0.5 * (a + b));
    [plus(v[0], sum), combine(v[1], v[2], |a, b| 0.5 * (a - b)), plus(sum, v[3])]
}

/// G g Gᵀ of the taps that begin at `place`, `stride` apart and in order or in the opposite one.
#[inline(always)]
fn points_of_taps<const LANES: usize>(
    weight: &[f32],
    place: usize,
    stride: usize,
    is_reversed: bool,
) -> [[f32; LANES]; POINTS] {
    let mut rows = [[[0.0; LANES]; 3]; 4];
    for j in 0..3 {
        let mut taps = [[0.0; LANES]; 3];
        for i in 0..3 {
            let tap = if is_reversed { TAPS - 1 - (3 * i + j) } else { 3 * i + j };
            taps[i].copy_from_slice(&weight[tap * stride + place..][..LANES]);
        }
        let column = spread_taps(taps);
        for i in 0..4 {
            rows[i][j] = column[i];
        }
    }
    let mut points = [[0.0; LANES]; POINTS];
    for i in 0..4 {
        let row = spread_taps(rows[i]);
        for j in 0..4 {
            points[4 * i + j] = row[j];
        }
    }
    points
}

#[inline(always)]
fn pack_vector<const LANES: usize>(weight: &[f32], place: usize, stride: usize, out: &mut [f32], step: usize) {
    for (p, point) in points_of_taps::<LANES>(weight, place, stride, false).iter().enumerate() {
        out[p * step..][..LANES].copy_from_slice(point);
    }
}

#[inline(always)]
fn pack_vector_transposed<const LANES: usize>(
    weight: &[f32],
    place: usize,
    stride: usize,
    out: &mut [f32],
    step: usize,
) {
    for (p, point) in points_of_taps::<LANES>(weight, place, stride, true).iter().enumerate() {
        for (out, value) in out[p * step..].iter_mut().step_by(PANEL).zip(point) {
            *out = *value;
        }
    }
}

dispatched! {
    /// Writes panel `number` of the points of `weight`, [3, 3, inputs, outputs], to `out`, [POINTS, inputs, PANEL];
    /// columns beyond the last keep their zeros.
    pub(super) fn pack_points<LANES>(weight: &[f32], outputs: usize, number: usize, out: &mut [f32]) {
        let inputs = out.len() / (POINTS * PANEL);
        let start = number * PANEL;
        let width = PANEL.min(outputs - start);
        let (stride, step) = (inputs * outputs, inputs * PANEL);
        for input in 0..inputs {
            let place = input * outputs + start;
            let out = &mut out[input * PANEL..];
            in_vectors!(LANES, width, |k| pack_vector(weight, place + k, stride, &mut out[k..], step));
        }
    }
}

dispatched! {
    /// The same of the taps in the opposite order with inputs and outputs exchanged: `out` is [POINTS, outputs, PANEL].
    pub(super) fn pack_points_transposed<LANES>(weight: &[f32], inputs: usize, number: usize, out: &mut [f32]) {
        let outputs = out.len() / (POINTS * PANEL);
        let start = number * PANEL;
        let (stride, step) = (inputs * outputs, outputs * PANEL);
        for column in 0..PANEL.min(inputs - start) {
            let place = (start + column) * outputs;
            let out = &mut out[column..];
            in_vectors!(LANES, outputs, |k| pack_vector_transposed(weight, place + k, stride, &mut out[k * PANEL..], step));
        }
    }
}

#[inline(always)]
fn taps_vector<const LANES: usize>(points: &[f32], step: usize, out: &mut [f32], stride: usize) {
    let mut rows = [[[0.0; LANES]; 4]; 3];
    for j in 0..4 {
        let mut column = [[0.0; LANES]; 4];
        for i in 0..4 {
            column[i].copy_from_slice(&points[(4 * i + j) * step..][..LANES]);
        }
        let column = collect_taps(column);
        for i in 0..3 {
            rows[i][j] = column[i];
        }
    }
    for i in 0..3 {
        let taps = collect_taps(rows[i]);
        for j in 0..3 {
            out[(3 * i + j) * stride..][..LANES].copy_from_slice(&taps[j]);
        }
    }
}

dispatched! {
    /// Writes Gᵀ m G to some outputs of `weight`, [3, 3, inputs, outputs], for `points` [POINTS, inputs, width].
    pub(in crate::nn) fn taps_of_points<LANES>(points: &[f32], channels: Channels, weight: &mut [f32]) {
        let Channels { first, width, all } = channels;
        let stride = weight.len() / TAPS;
        let inputs = stride / all;
        for input in 0..inputs {
            let (points, out) = (&points[input * width..], &mut weight[input * all + first..]);
            in_vectors!(LANES, width, |k| taps_vector(&points[k..], inputs * width, &mut out[k..], stride));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Form, Left, Matrix, Packed, Right, Shape, add_product, multiply};
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
}
