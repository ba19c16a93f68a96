//! The legend, in the corner of the panel where it covers least, or beside the panel where it would cover too much.

use super::canvas::{Anchor, Canvas, Point};
use super::colours::PAPER;
use super::font;
use super::marks::{self, View};
use super::paper::{CAPITAL, Rectangle, TICK_TEXT};
use super::prepare::{Ready, ReadyLayer, Shape};

const ROW: f64 = 10.0;
const SAMPLE: f64 = 14.0;
const INSET: f64 = 4.0;

/// The legend of a panel.
#[derive(Debug)]
pub(super) struct Legend {
    pub(super) size: [f64; 2],
    /// In a corner of the frame; else to the right of it.
    pub(super) inside: bool,
}

impl Legend {
    /// A legend, where two or more layers have a name; inside the `frame` if some corner is as good as empty.
    pub(super) fn new(panel: &Ready, frame: Rectangle) -> Option<Self> {
        const NEGLIGIBLE: f64 = 0.005;
        let widths: Vec<f64> = named(panel).map(|layer| font::width(&layer.label, TICK_TEXT)).collect();
        if widths.len() < 2 {
            return None;
        }
        let widest = widths.iter().copied().fold(0.0, f64::max);
        let size = [SAMPLE + widest + 2.0 * INSET, ROW * widths.len() as f64 + 2.0];
        let points = inked(panel, &View { x: panel.x, y: panel.y, frame });
        let (_, covered) = emptiest(&points, frame, size);
        let inside = covered as f64 <= NEGLIGIBLE * points.len() as f64
            && size[0] + 2.0 * INSET < frame.width
            && size[1] + 2.0 * INSET < frame.height;
        Some(Self { size, inside })
    }

    /// Draws the legend of `panel`.
    pub(super) fn draw(&self, panel: &Ready, view: &View, canvas: &mut dyn Canvas) {
        let place = if self.inside {
            emptiest(&inked(panel, view), view.frame, self.size).0
        } else {
            let [width, height] = self.size;
            Rectangle { left: view.frame.right() + INSET, top: view.frame.top, width, height }
        };
        canvas.rectangle([place.left, place.top], [place.right(), place.bottom()], PAPER, 0.8);
        for (row, layer) in named(panel).enumerate() {
            let middle = place.top + ROW * (row as f64 + 0.5) + 1.0;
            sample(layer, [place.left + 2.0, middle], canvas);
            let at = [place.left + SAMPLE + INSET, middle + 0.5 * CAPITAL * TICK_TEXT];
            canvas.text(&layer.label, at, TICK_TEXT, Anchor::Start, false);
        }
    }
}

fn named(panel: &Ready) -> impl Iterator<Item = &ReadyLayer> {
    panel.layers.iter().filter(|layer| !layer.label.is_empty())
}

fn sample(layer: &ReadyLayer, [left, y]: Point, canvas: &mut dyn Canvas) {
    let middle = [left + 0.5 * SAMPLE, y];
    match &layer.shape {
        Shape::Dots(_) => canvas.dot(middle, 1.8, layer.colour, 1.0),
        Shape::Heat(_) | Shape::Image(_) => {}
        Shape::Steps(_) => {
            canvas.rectangle([left, y - 2.5], [left + SAMPLE, y + 2.5], layer.colour, 0.2);
            canvas.line(&[[left, y - 2.5], [left + SAMPLE, y - 2.5]], 1.1, layer.colour);
        }
        Shape::Line(line) => {
            let ends = [[left, y], [left + SAMPLE, y]];
            marks::stroke(&ends, layer, line.style, canvas);
            if marks::has_markers(line) {
                marks::marker(middle, layer, canvas);
            }
        }
    }
}

/// The corner of `frame` in which a rectangle of `size` covers the fewest of `points`, and how many; upper right where
/// it does not matter.
fn emptiest(points: &[Point], frame: Rectangle, [width, height]: [f64; 2]) -> (Rectangle, usize) {
    let lefts = [frame.right() - width - INSET, frame.left + INSET];
    let tops = [frame.top + INSET, frame.bottom() - height - INSET];
    let mut best = (frame, usize::MAX);
    for (left, top) in tops.into_iter().flat_map(|top| lefts.map(|left| (left, top))) {
        let place = Rectangle { left, top, width, height };
        let covered = points.iter().filter(|point| place.holds(**point)).count();
        if covered < best.1 {
            best = (place, covered);
        }
    }
    best
}

/// Points of the paper that the layers of a panel draw on.
fn inked(panel: &Ready, view: &View) -> Vec<Point> {
    let mut points = Vec::new();
    for layer in &panel.layers {
        match &layer.shape {
            Shape::Dots(dots) => points.extend(dots.iter().map(|p| view.at(p[0], p[1]))),
            Shape::Line(line) => {
                for run in &line.runs {
                    points.extend(run.iter().map(|p| view.at(p[0], p[1])));
                    // What lies between two points is inked too.
                    let between = run.windows(2).flat_map(|pair| {
                        let [a, b] = [view.at(pair[0][0], pair[0][1]), view.at(pair[1][0], pair[1][1])];
                        (1..8).map(move |i| [0, 1].map(|k| a[k] + (b[k] - a[k]) * f64::from(i) / 8.0))
                    });
                    points.extend(between);
                }
            }
            Shape::Steps(heights) => points.extend(heights.iter().enumerate().map(|(cell, &height)| {
                let x = view.frame.left + view.frame.width * (cell as f64 + 0.5) / heights.len() as f64;
                [x, view.at(view.x.low, height.max(view.y.low))[1]]
            })),
            Shape::Heat(_) | Shape::Image(_) => {}
        }
    }
    points
}
