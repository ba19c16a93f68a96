//! Paper: lines, areas and text in points (1/72 inch, y downwards) on a bitmap or in an SVG.

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, RGBColor, TextStyle};

use super::colours::{Colour, INK, PAPER};
use super::font;

/// x and y in points from the upper left corner.
pub(super) type Point = [f64; 2];

/// Points per inch.
pub(super) const INCH: f64 = 72.0;
/// Units of SVG coordinates per point: plotters counts in integers.
const SVG_UNITS: f64 = 20.0;
/// Bitmaps are drawn this many times too large and averaged: smooth edges wherever they fall between pixels.
const OVERSAMPLING: usize = 3;

/// Where a line of text is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// What a figure is drawn on. Drawing in memory cannot fail, so nothing here does.
pub(super) trait Canvas {
    /// A line through `points`.
    fn line(&mut self, points: &[Point], width: f64, colour: Colour);
    /// A filled polygon.
    fn fill(&mut self, points: &[Point], colour: Colour, alpha: f64);
    /// A filled disc.
    fn dot(&mut self, centre: Point, radius: f64, colour: Colour, alpha: f64);
    /// A line of text whose baseline passes through `at`, running upwards if `upright`.
    fn text(&mut self, text: &str, at: Point, size: f64, anchor: Anchor, upright: bool);

    /// A filled rectangle between two corners.
    fn rectangle(&mut self, [left, top]: Point, [right, bottom]: Point, colour: Colour, alpha: f64) {
        self.fill(&[[left, top], [right, top], [right, bottom], [left, bottom]], colour, alpha);
    }
}

fn rgba(colour: Colour, alpha: f64) -> RGBAColor {
    RGBColor(colour.0, colour.1, colour.2).mix(alpha)
}

/// Pixels in memory.
struct Bitmap<'a> {
    backend: BitMapBackend<'a>,
    scale: f64,
}

impl Bitmap<'_> {
    fn at(&self, point: Point) -> (i32, i32) {
        ((point[0] * self.scale).round() as i32, (point[1] * self.scale).round() as i32)
    }

    /// One row of pixels.
    fn span(&mut self, left: f64, right: f64, row: i32, colour: &RGBAColor) {
        let (left, right) = (left.round() as i32, right.round() as i32);
        if left < right {
            // Drawing to memory does not fail.
            let _ = self.backend.draw_rect((left, row), (right, row + 1), colour, true);
        }
    }
}

impl Canvas for Bitmap<'_> {
    fn line(&mut self, points: &[Point], width: f64, colour: Colour) {
        // Piece by piece: the outline of a whole noisy line would cross itself and leave holes.
        for pair in points.windows(2) {
            let along = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
            let length = along[0].hypot(along[1]);
            if length > 0.0 {
                let half = 0.5 * width / length;
                let (nx, ny) = (-along[1] * half, along[0] * half);
                let [[ax, ay], [bx, by]] = [pair[0], pair[1]];
                self.fill(
                    &[[ax + nx, ay + ny], [bx + nx, by + ny], [bx - nx, by - ny], [ax - nx, ay - ny]],
                    colour,
                    1.0,
                );
            }
        }
        for &joint in points.get(1..points.len().saturating_sub(1)).unwrap_or_default() {
            self.dot(joint, 0.5 * width, colour, 1.0);
        }
    }

    fn fill(&mut self, points: &[Point], colour: Colour, alpha: f64) {
        let colour = rgba(colour, alpha);
        let corners: Vec<Point> = points.iter().map(|p| [p[0] * self.scale, p[1] * self.scale]).collect();
        let rows = corners.iter().map(|c| c[1]);
        let (top, bottom) = (rows.clone().fold(f64::MAX, f64::min), rows.fold(f64::MIN, f64::max));
        let mut crossings = Vec::new();
        for row in (top.round() as i32)..(bottom.round() as i32) {
            let middle = f64::from(row) + 0.5;
            crossings.clear();
            for (index, &[ax, ay]) in corners.iter().enumerate() {
                let [bx, by] = corners[(index + 1) % corners.len()];
                if (ay <= middle) != (by <= middle) {
                    crossings.push(ax + (bx - ax) * (middle - ay) / (by - ay));
                }
            }
            crossings.sort_unstable_by(f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                self.span(pair[0], pair[1], row, &colour);
            }
        }
    }

    fn dot(&mut self, centre: Point, radius: f64, colour: Colour, alpha: f64) {
        let colour = rgba(colour, alpha);
        let [x, y] = [centre[0] * self.scale, centre[1] * self.scale];
        let radius = radius * self.scale;
        for row in ((y - radius).round() as i32)..((y + radius).round() as i32) {
            let half = (radius.powi(2) - (f64::from(row) + 0.5 - y).powi(2)).max(0.0).sqrt();
            self.span(x - half, x + half, row, &colour);
        }
    }

    fn text(&mut self, text: &str, at: Point, size: f64, anchor: Anchor, upright: bool) {
        let size = size * self.scale;
        let (x, y) = self.at(at);
        let shift = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -0.5 * font::width(text, size),
            Anchor::End => -font::width(text, size),
        }
        .round() as i32;
        font::rasterise(text, size, |dx, dy, coverage| {
            let (dx, dy) = if upright { (dy, -dx - shift) } else { (dx + shift, dy) };
            // Drawing to memory does not fail.
            let _ = self.backend.draw_pixel((x + dx, y + dy), rgba(INK, f64::from(coverage)).to_backend_color());
        });
    }
}

/// The text of an SVG.
struct Vector<'a> {
    backend: SVGBackend<'a>,
}

impl Vector<'_> {
    fn at(point: &Point) -> (i32, i32) {
        ((point[0] * SVG_UNITS).round() as i32, (point[1] * SVG_UNITS).round() as i32)
    }
}

impl Canvas for Vector<'_> {
    fn line(&mut self, points: &[Point], width: f64, colour: Colour) {
        let style = rgba(colour, 1.0).stroke_width((width * SVG_UNITS).round() as u32);
        // Drawing to memory does not fail; the same below.
        let _ = self.backend.draw_path(points.iter().map(Self::at), &style);
    }

    fn fill(&mut self, points: &[Point], colour: Colour, alpha: f64) {
        let _ = self.backend.fill_polygon(points.iter().map(Self::at), &rgba(colour, alpha));
    }

    fn rectangle(&mut self, from: Point, to: Point, colour: Colour, alpha: f64) {
        let _ = self.backend.draw_rect(Self::at(&from), Self::at(&to), &rgba(colour, alpha), true);
    }

    fn dot(&mut self, centre: Point, radius: f64, colour: Colour, alpha: f64) {
        let radius = (radius * SVG_UNITS).round().max(1.0) as u32;
        let _ = self.backend.draw_circle(Self::at(&centre), radius, &rgba(colour, alpha), true);
    }

    fn text(&mut self, text: &str, at: Point, size: f64, anchor: Anchor, upright: bool) {
        // The backend writes 1/1.24 of the size it is given, and 0.76 em as the distance from the top to the baseline.
        let em = size * SVG_UNITS;
        let turn = if upright { FontTransform::Rotate270 } else { FontTransform::None };
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = FontDesc::new(FontFamily::Name(font::FAMILIES), em * 1.24, FontStyle::Normal).transform(turn);
        let ink = rgba(INK, 1.0);
        let style = TextStyle::from(font).color(&ink).pos(Pos::new(h_pos, VPos::Top));
        let up = 0.76 * size;
        let top = if upright { [at[0] - up, at[1]] } else { [at[0], at[1] - up] };
        let _ = self.backend.draw_text(&font::printable(text), &style, Self::at(&top));
    }
}

/// A picture of pixels: width, height, and red, green, blue of each, row by row.
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgb: Vec<u8>,
}

/// What `draw` draws on paper of `size` points, as pixels.
pub(super) fn bitmap(size: [f64; 2], dpi: f64, draw: impl FnOnce(&mut dyn Canvas)) -> Pixels {
    let [width, height] = size.map(|length| (length / INCH * dpi).round().max(1.0) as usize);
    let (wide, high) = (width * OVERSAMPLING, height * OVERSAMPLING);
    let mut fine = vec![PAPER.0; 3 * wide * high];
    let backend = BitMapBackend::with_buffer(&mut fine, (wide as u32, high as u32));
    draw(&mut Bitmap { backend, scale: dpi / INCH * OVERSAMPLING as f64 });
    Pixels { width: width as u32, height: height as u32, rgb: averaged(&fine, width, height) }
}

fn averaged(fine: &[u8], width: usize, height: usize) -> Vec<u8> {
    const COUNT: u32 = (OVERSAMPLING * OVERSAMPLING) as u32;
    let stride = 3 * width * OVERSAMPLING;
    let mut rgb = Vec::with_capacity(3 * width * height);
    let mut sums = vec![0u32; 3 * width];
    for rows in fine.chunks_exact(stride * OVERSAMPLING) {
        sums.fill(0);
        for row in rows.chunks_exact(stride) {
            for (sums, cell) in sums.chunks_exact_mut(3).zip(row.chunks_exact(3 * OVERSAMPLING)) {
                for pixel in cell.chunks_exact(3) {
                    for (sum, &value) in sums.iter_mut().zip(pixel) {
                        *sum += u32::from(value);
                    }
                }
            }
        }
        rgb.extend(sums.iter().map(|sum| ((sum + COUNT / 2) / COUNT) as u8));
    }
    rgb
}

/// What `draw` draws on paper of `size` points, as SVG.
pub(super) fn vector(size: [f64; 2], draw: impl FnOnce(&mut dyn Canvas)) -> String {
    let [width, height] = size.map(|length| (length * SVG_UNITS).round() as u32);
    let mut text = String::new();
    {
        let mut canvas = Vector { backend: SVGBackend::with_string(&mut text, (width, height)) };
        canvas.rectangle([0.0, 0.0], size, PAPER, 1.0);
        draw(&mut canvas);
        // Closes the open tags; writing to memory does not fail.
        let _ = canvas.backend.present();
    }
    // The size on paper, and what plotters has no word for.
    let drawn = format!("<svg width=\"{width}\" height=\"{height}\"");
    let wanted = format!("<svg stroke-linejoin=\"round\" width=\"{:.2}pt\" height=\"{:.2}pt\"", size[0], size[1]);
    text.replacen(&drawn, &wanted, 1)
}
