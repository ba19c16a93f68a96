//! Images as tiles, and tiles as images.

use std::ops::Range;

use super::super::product::PANEL;
use super::vectors::{both_sides, in_vectors, load, minus, plus};
use crate::dispatched;

/// Products that make a convolution.
pub(in crate::nn) const POINTS: usize = 16;

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

/// A few neighbouring channels of many.
#[derive(Clone, Copy)]
pub(in crate::nn) struct Channels {
    pub(in crate::nn) first: usize,
    pub(in crate::nn) width: usize,
    pub(in crate::nn) all: usize,
}

/// Numbers from `place` on; zeros beyond the image.
#[inline(always)]
fn read<const LANES: usize>(values: &[f32], place: usize, channel: usize) -> [f32; LANES] {
    if place == OUTSIDE { [0.0; LANES] } else { load(values, place + channel) }
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

/// Writes the 4 × 4 `points` to `out`, `stride` apart.
#[inline(always)]
fn store<const LANES: usize>(points: [[[f32; LANES]; 4]; 4], out: &mut [f32], stride: usize) {
    for (p, point) in points.as_flattened().iter().enumerate() {
        out[p * stride..][..LANES].copy_from_slice(point);
    }
}

#[inline(always)]
fn enter_vector<const LANES: usize>(
    values: &[f32],
    sources: &[usize; POINTS],
    channel: usize,
    out: &mut [f32],
    stride: usize,
) {
    store(both_sides(|i, j| read::<LANES>(values, sources[4 * i + j], channel), spread), &mut out[channel..], stride);
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

#[inline(always)]
fn leave_vector<const LANES: usize>(
    points: &[f32],
    stride: usize,
    channel: usize,
    bias: Option<&[f32]>,
    targets: &[usize; 4],
    out: &mut [f32],
) {
    let pixels = both_sides(|i, j| load::<LANES>(points, (4 * i + j) * stride + channel), collect);
    for (pixel, &target) in pixels.as_flattened().iter().zip(targets).filter(|(_, target)| **target != OUTSIDE) {
        let out = &mut out[target + channel..][..LANES];
        let pixel = match bias {
            Some([]) => *pixel,
            Some(bias) => plus(*pixel, load(bias, channel)),
            None => plus(load(out, 0), *pixel),
        };
        out.copy_from_slice(&pixel);
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
    store(both_sides(|i, j| read::<LANES>(values, targets[2 * i + j], channel), scatter), &mut out[channel..], stride);
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
