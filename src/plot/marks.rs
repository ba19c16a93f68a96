//! Draws layers: dots, heat maps, lines and steps, cut off at the frame.

use super::axes::Range;
use super::bins::Grid;
use super::canvas::{Canvas, Point};
use super::colours::{Colour, PAPER};
use super::figure::{LineStyle, Raster};
use super::paper::Rectangle;
use super::prepare::{Levels, Line, ReadyLayer, Shape};

const LINE_WIDTH: f64 = 1.1;
/// Of lines of more than `MANY` points, which are noisy more often than not.
const FINE_LINE_WIDTH: f64 = 0.6;
const MANY: usize = 2000;
const BAR_WIDTH: f64 = 0.7;
const MARKER: f64 = 2.1;
/// Lines of at most this many points get symbols where the style does not say.
const FEW: usize = 40;
const DASH: [f64; 2] = [4.0, 2.2];
const SHADE: f64 = 0.2;

/// Maps numbers to paper.
pub(super) struct View {
    pub(super) x: Range,
    pub(super) y: Range,
    pub(super) frame: Rectangle,
}

impl View {
    /// Where a point lies on paper, inside the frame or not.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        [
            self.frame.left + self.x.fraction(x) * self.frame.width,
            self.frame.bottom() - self.y.fraction(y) * self.frame.height,
        ]
    }

    /// Where `x` lies across the paper, moved to the nearest side of the frame if it lies outside.
    fn across(&self, x: f64) -> f64 {
        self.frame.left + self.x.fraction(x).clamp(0.0, 1.0) * self.frame.width
    }

    /// Where `y` lies on the paper, moved to the nearest end of the frame if it lies outside.
    fn up(&self, y: f64) -> f64 {
        self.frame.bottom() - self.y.fraction(y).clamp(0.0, 1.0) * self.frame.height
    }

    /// `value` on the y axis, moved to its nearest end if it lies outside.
    fn within(&self, value: f64) -> f64 {
        value.clamp(self.y.low, self.y.high)
    }

    fn holds(&self, x: f64, y: f64) -> bool {
        self.x.holds(x) && self.y.holds(y)
    }
}

/// Draws the areas of a layer, which lie below the lines and dots of all layers.
pub(super) fn shade(layer: &ReadyLayer, levels: Option<&Levels>, view: &View, canvas: &mut dyn Canvas) {
    match &layer.shape {
        Shape::Dots(_) => {}
        Shape::Heat(grid) => levels.into_iter().for_each(|levels| heat(grid, levels, view, canvas)),
        Shape::Image(image) => picture(image, view, canvas),
        Shape::Line(line) if line.bars && line.style.band => {
            line.runs.iter().for_each(|run| band(run, layer.colour, view, canvas));
        }
        Shape::Line(_) => {}
        Shape::Steps(heights) => canvas.fill(&outline(heights, view), layer.colour, SHADE),
    }
}

/// Draws the lines and dots of a layer.
pub(super) fn draw(layer: &ReadyLayer, view: &View, canvas: &mut dyn Canvas) {
    match &layer.shape {
        Shape::Dots(points) => dots(points, layer, view, canvas),
        Shape::Heat(_) | Shape::Image(_) => {}
        Shape::Line(line) => curve(line, layer, view, canvas),
        Shape::Steps(heights) => {
            canvas.line(&outline(heights, view), layer.size.unwrap_or(LINE_WIDTH), layer.colour);
        }
    }
}

/// Whether each point of a line carries a symbol.
pub(super) fn has_markers(line: &Line) -> bool {
    line.style.markers.unwrap_or_else(|| line.runs.iter().map(Vec::len).sum::<usize>() <= FEW)
}

/// Radius and opacity of dots, such that a hundred are easily seen and a hundred thousand still show their density.
fn dot_style(layer: &ReadyLayer, count: usize) -> [f64; 2] {
    let thousands = count as f64 / 1000.0;
    let radius = layer.size.unwrap_or_else(|| (0.9 / thousands.powf(0.2)).clamp(0.45, 1.4));
    let alpha = layer.alpha.unwrap_or_else(|| (0.55 / thousands.powf(0.3)).clamp(0.12, 0.8));
    [radius, alpha]
}

fn dots(points: &[[f64; 2]], layer: &ReadyLayer, view: &View, canvas: &mut dyn Canvas) {
    let [radius, alpha] = dot_style(layer, points.len());
    for &[x, y] in points.iter().filter(|p| view.holds(p[0], p[1])) {
        canvas.dot(view.at(x, y), radius, layer.colour, alpha);
    }
}

fn heat(grid: &Grid, levels: &Levels, view: &View, canvas: &mut dyn Canvas) {
    let [columns, rows] = grid.shape;
    let lowest = levels.colour(levels.range.low);
    let ends = |range: Range| [range.low, range.high];
    let covers = [grid.x, grid.y].map(ends) == [view.x, view.y].map(ends);
    let is_whole = grid.values.iter().all(|value| value.is_finite()) && covers;
    if is_whole {
        canvas.rectangle([view.frame.left, view.frame.top], [view.frame.right(), view.frame.bottom()], lowest, 1.0);
    }
    let x = |column: usize| view.across(grid.x.low + grid.x.length() * column as f64 / columns as f64);
    let y = |row: usize| view.up(grid.y.low + grid.y.length() * row as f64 / rows as f64);
    for (row, values) in grid.values.chunks_exact(columns).enumerate() {
        let colour = |value: &f64| value.is_finite().then(|| levels.colour(*value));
        let colours: Vec<_> = values.iter().map(colour).collect();
        runs(&colours, |columns, colour| {
            if !(is_whole && colour == lowest) {
                let [top, bottom] = if view.y.reversed { [row, row + 1] } else { [row + 1, row] };
                canvas.rectangle([x(columns.start), y(top)], [x(columns.end), y(bottom)], colour, 1.0);
            }
        });
    }
}

fn picture(image: &Raster, view: &View, canvas: &mut dyn Canvas) {
    let [columns, rows] = image.shape;
    let y = |row: usize| view.up((rows - row) as f64);
    for (row, pixels) in image.pixels.chunks_exact(columns).enumerate() {
        let colours: Vec<_> = pixels.iter().map(|&colour| (colour != PAPER).then_some(colour)).collect();
        runs(&colours, |columns, colour| {
            let [left, right] = [columns.start, columns.end].map(|column| view.across(column as f64));
            canvas.rectangle([left, y(row)], [right, y(row + 1)], colour, 1.0);
        });
    }
}

/// Calls `draw` for each run of neighbours of one colour; those without one are left out.
fn runs(colours: &[Option<Colour>], mut draw: impl FnMut(std::ops::Range<usize>, Colour)) {
    let mut first = 0;
    for run in colours.chunk_by(|a, b| a == b) {
        if let Some(colour) = run[0] {
            draw(first..first + run.len(), colour);
        }
        first += run.len();
    }
}

fn curve(line: &Line, layer: &ReadyLayer, view: &View, canvas: &mut dyn Canvas) {
    for run in &line.runs {
        if line.bars && !line.style.band {
            error_bars(run, layer.colour, view, canvas);
        }
        let points: Vec<Point> = run.iter().map(|p| view.at(p[0], p[1])).collect();
        for piece in clipped(&points, view.frame) {
            stroke(&piece, layer, line.style, canvas);
        }
    }
    if has_markers(line) {
        for point in line.runs.iter().flatten().filter(|p| view.holds(p[0], p[1])) {
            marker(view.at(point[0], point[1]), layer, canvas);
        }
    }
}

/// A line on paper in the style of a layer.
pub(super) fn stroke(points: &[Point], layer: &ReadyLayer, style: LineStyle, canvas: &mut dyn Canvas) {
    let width = layer.size.unwrap_or(if points.len() > MANY { FINE_LINE_WIDTH } else { LINE_WIDTH });
    if style.dashed {
        for dash in dashes(points) {
            canvas.line(&dash, width, layer.colour);
        }
    } else {
        canvas.line(points, width, layer.colour);
    }
}

/// The ends of an error bar, cut off at the frame.
fn ends(point: &[f64; 3], view: &View) -> [Point; 2] {
    [-1.0, 1.0].map(|sign| view.at(point[0], view.within(point[1] + sign * point[2])))
}

fn error_bars(run: &[[f64; 3]], colour: Colour, view: &View, canvas: &mut dyn Canvas) {
    for point in run.iter().filter(|p| view.x.holds(p[0])) {
        let [lower, upper] = ends(point, view);
        canvas.line(&[lower, upper], BAR_WIDTH, colour);
        for [x, y] in [lower, upper] {
            canvas.line(&[[x - MARKER, y], [x + MARKER, y]], BAR_WIDTH, colour);
        }
    }
}

fn band(run: &[[f64; 3]], colour: Colour, view: &View, canvas: &mut dyn Canvas) {
    let inside: Vec<[Point; 2]> = run.iter().filter(|p| view.x.holds(p[0])).map(|p| ends(p, view)).collect();
    let around: Vec<Point> = inside.iter().map(|e| e[0]).chain(inside.iter().rev().map(|e| e[1])).collect();
    canvas.fill(&around, colour, SHADE);
}

/// The outline of a histogram, from the lower left corner to the lower right.
fn outline(heights: &[f64], view: &View) -> Vec<Point> {
    let frame = view.frame;
    let x = |cell: usize| frame.left + frame.width * cell as f64 / heights.len() as f64;
    let mut outline = vec![[frame.left, frame.bottom()]];
    for (cell, &height) in heights.iter().enumerate() {
        let y = view.at(view.x.low, view.within(height))[1];
        outline.extend([[x(cell), y], [x(cell + 1), y]]);
    }
    outline.push([frame.right(), frame.bottom()]);
    outline
}

/// The symbol of a layer: its shape tells the series apart where its colour does not.
pub(super) fn marker(at: Point, layer: &ReadyLayer, canvas: &mut dyn Canvas) {
    let corners = match layer.index % 4 {
        0 => return canvas.dot(at, MARKER, layer.colour, 1.0),
        1 => 4,
        2 => 3,
        _ => 5,
    };
    // Polygons look smaller than discs of the same radius.
    let radius = 1.25 * MARKER;
    let tilt = if corners == 4 { 0.25 * std::f64::consts::PI } else { 0.0 };
    let corner = |index: i32| {
        let angle = std::f64::consts::TAU * f64::from(index) / f64::from(corners) + tilt;
        [at[0] + radius * angle.sin(), at[1] - radius * angle.cos()]
    };
    canvas.fill(&(0..corners).map(corner).collect::<Vec<_>>(), layer.colour, 1.0);
}

/// The pieces of a line inside `frame` (Liang and Barsky 1984).
fn clipped(points: &[Point], frame: Rectangle) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    for pair in points.windows(2) {
        let Some([from, to]) = clip(pair[0], pair[1], frame) else { continue };
        match pieces.last_mut() {
            Some(piece) if piece.last() == Some(&from) => piece.push(to),
            _ => pieces.push(vec![from, to]),
        }
    }
    pieces
}

fn clip(a: Point, b: Point, frame: Rectangle) -> Option<[Point; 2]> {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let (mut enter, mut leave) = (0f64, 1f64);
    let edges =
        [(-dx, a[0] - frame.left), (dx, frame.right() - a[0]), (-dy, a[1] - frame.top), (dy, frame.bottom() - a[1])];
    for (slope, room) in edges {
        if slope == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if slope < 0.0 {
            enter = enter.max(room / slope);
        } else {
            leave = leave.min(room / slope);
        }
    }
    let at = |share: f64| [a[0] + share * dx, a[1] + share * dy];
    let from = if enter == 0.0 { a } else { at(enter) };
    let to = if leave == 1.0 { b } else { at(leave) };
    (enter <= leave).then_some([from, to])
}

/// A line cut into dashes.
fn dashes(points: &[Point]) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let mut piece = vec![points[0]];
    let (mut phase, mut left) = (0, DASH[0]);
    for pair in points.windows(2) {
        let length = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let at = [0, 1].map(|i| pair[0][i] + (pair[1][i] - pair[0][i]) * done / length);
            piece.push(at);
            let whole = std::mem::replace(&mut piece, vec![at]);
            if phase == 0 {
                pieces.push(whole);
            }
            phase = 1 - phase;
            left = DASH[phase];
        }
        left -= length - done;
        piece.push(pair[1]);
    }
    if phase == 0 {
        pieces.push(piece);
    }
    pieces
}
