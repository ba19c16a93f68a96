//! From the description of a figure to what can be drawn: cleaned, with ranges, binned.

use super::axes::{Range, Scale};
use super::bins::{self, Grid};
use super::check;
use super::colours::{self, Colour};
use super::figure::{Axis, Cells, Figure, LineStyle, Mark, Panel, Raster};
use crate::error::{Error, Result};

/// Panels ready to be drawn.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) panels: Vec<Ready>,
    /// What the picture does not show, in words.
    pub(super) notes: Vec<String>,
}

/// A panel ready to be drawn.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) x: Range,
    pub(super) y: Range,
    /// Length of the y axis over that of the x axis on paper, where the data ask for one.
    pub(super) ratio: Option<f64>,
    /// What the colours stand for, where there is a heat map.
    pub(super) levels: Option<Levels>,
    pub(super) layers: Vec<ReadyLayer>,
}

/// A layer ready to be drawn.
#[derive(Debug)]
pub(super) struct ReadyLayer {
    /// Its place among the layers of the panel, or that of a chosen colour in the palette: it has the symbol of that
    /// place.
    pub(super) index: usize,
    pub(super) shape: Shape,
    pub(super) label: String,
    pub(super) colour: Colour,
    pub(super) alpha: Option<f64>,
    pub(super) size: Option<f64>,
}

/// What is drawn.
#[derive(Debug)]
pub(super) enum Shape {
    Dots(Vec<[f64; 2]>),
    Heat(Grid),
    Image(Raster),
    Line(Line),
    /// Heights of equal cells over the range of x.
    Steps(Vec<f64>),
}

/// What the colours of heat maps stand for.
#[derive(Debug, Clone)]
pub(super) struct Levels {
    pub(super) range: Range,
    /// Text beside the colour bar.
    pub(super) label: String,
    /// Low numbers are bright.
    pub(super) reversed: bool,
}

impl Levels {
    /// The colour of a number.
    pub(super) fn colour(&self, value: f64) -> Colour {
        let share = self.range.fraction(value);
        colours::viridis(if self.reversed { 1.0 - share } else { share })
    }
}

/// A line in unbroken runs of points, each x, y and half the height of its error bar.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) runs: Vec<Vec<[f64; 3]>>,
    pub(super) style: LineStyle,
    pub(super) bars: bool,
}

/// Checks a figure and computes all that its drawing needs.
pub(super) fn prepare(figure: &Figure) -> Result<Prepared> {
    check::check(figure)?;
    let mut notes = figure.unwritable();
    let mut panels = Vec::with_capacity(figure.panels.len());
    for (index, panel) in figure.panels.iter().enumerate() {
        panels.push(Clean::new(panel, index, &mut notes)?);
    }
    let mut xs: Vec<Range> = panels.iter_mut().map(Clean::x_range).collect();
    share(figure, &mut xs);
    let mut ys: Vec<Range> = panels.iter_mut().zip(&xs).map(|(panel, &x)| panel.y_range(x)).collect();
    panels.iter().zip(&mut ys).for_each(|(panel, y)| y.reversed = panel.panel.y.reversed);
    share(figure, &mut ys);
    let fewest = panels.iter().filter_map(Clean::grid_cells).min().filter(|_| figure.shared);
    let mut ready = Vec::with_capacity(panels.len());
    for ((panel, x), y) in panels.into_iter().zip(xs).zip(ys) {
        panel.note_outside(x, y, &mut notes);
        ready.push(panel.ready(x, y, fewest));
    }
    if figure.shared {
        let ranges = ready.iter().filter_map(|panel| panel.levels.as_ref().map(|levels| levels.range));
        if let Some(range) = ranges.reduce(Range::joined) {
            ready.iter_mut().filter_map(|panel| panel.levels.as_mut()).for_each(|levels| levels.range = range);
        }
    }
    Ok(Prepared { panels: ready, notes })
}

fn share(figure: &Figure, ranges: &mut [Range]) {
    if let (true, Some(joined)) = (figure.shared, ranges.iter().copied().reduce(Range::joined)) {
        ranges.fill(joined);
    }
}

/// A panel whose data hold only what its axes can show.
struct Clean<'a> {
    panel: &'a Panel,
    name: String,
    /// One for each layer of the panel.
    data: Vec<Data>,
}

enum Data {
    Scatter(Vec<[f64; 2]>),
    Density { points: Vec<[f64; 2]>, cells: usize, is_energy: bool },
    Cells(Cells),
    Image(Raster),
    Line(Line),
    Histogram { values: Vec<f64>, cells: Option<usize> },
}

impl<'a> Clean<'a> {
    fn new(panel: &'a Panel, index: usize, notes: &mut Vec<String>) -> Result<Self> {
        let scales = [panel.x.scale, panel.y.scale];
        let what = if scales == [Scale::Linear; 2] { "finite" } else { "finite and positive" };
        let name = match panel.title.as_str() {
            "" => format!("panel {}", index + 1),
            title => format!("panel `{title}`"),
        };
        let nothing = |problem: String| Err(Error::argument("data", format!("of {name} {problem}")));
        if panel.layers.is_empty() {
            return nothing("is empty: there is nothing to draw".to_owned());
        }
        let mut data = Vec::with_capacity(panel.layers.len());
        for layer in &panel.layers {
            let clean = Data::new(&layer.mark, scales);
            match (layer.mark.len(), clean.len()) {
                (0, _) => return nothing("is empty: there is nothing to draw".to_owned()),
                (total, 0) => return nothing(format!("holds {total} points or numbers, none of them {what}")),
                (total, left) if left < total => {
                    notes.push(format!("{name}: {} of {total} left out, not {what}", total - left));
                }
                _ => {}
            }
            data.push(clean);
        }
        Ok(Self { panel, name, data })
    }

    fn x_range(&mut self) -> Range {
        let scale = self.panel.x.scale;
        // Cells begin at the smallest number: of what is never negative none reaches below 0.
        let share = if self.data.iter().all(|data| matches!(data, Data::Histogram { .. })) { 0.0 } else { 0.04 };
        fixed(&self.panel.x).or_else(|| self.covered(0)).unwrap_or_else(|| {
            let ranges = self.data.iter_mut().map(|data| match data {
                Data::Scatter(points) | Data::Density { points, .. } => Range::of_bulk(&mut column(points, 0), scale),
                Data::Line(line) => Range::of(line.runs.iter().flatten().map(|p| p[0]), scale),
                Data::Histogram { values, .. } => Range::of_bulk(values, scale),
                Data::Cells(_) | Data::Image(_) => None,
            });
            around(ranges, share, scale)
        })
    }

    /// What the heat maps and pictures of given cells cover along x or y.
    fn covered(&self, axis: usize) -> Option<Range> {
        let scale = Scale::Linear;
        let ranges = self.data.iter().filter_map(|data| match data {
            Data::Cells(cells) => Some(Range::between([cells.x, cells.y][axis], scale)),
            Data::Image(image) => Some(Range::between([0.0, image.shape[axis] as f64], scale)),
            _ => None,
        });
        ranges.reduce(Range::joined)
    }

    fn y_range(&mut self, x: Range) -> Range {
        let scale = self.panel.y.scale;
        let steps = self.histogram_cells(x);
        fixed(&self.panel.y).or_else(|| self.covered(1)).unwrap_or_else(|| {
            let ranges = self.data.iter().map(|data| match data {
                Data::Scatter(points) | Data::Density { points, .. } => Range::of_bulk(&mut column(points, 1), scale),
                Data::Line(line) => {
                    let ends = line.runs.iter().flatten().flat_map(|p| [p[1] - p[2], p[1], p[1] + p[2]]);
                    Range::of(ends.filter(|&end| scale.shows(end)), scale)
                }
                Data::Histogram { values, .. } => {
                    let heights = bins::histogram(values, x, steps).into_iter();
                    Range::of(heights.filter(|&height| scale.shows(height)), scale)
                }
                Data::Cells(_) | Data::Image(_) => None,
            });
            let range = around(ranges, 0.06, scale);
            let stands = scale == Scale::Linear && self.data.iter().all(|data| matches!(data, Data::Histogram { .. }));
            if stands { Range { low: 0.0, ..range } } else { range }
        })
    }

    /// Cells that all histograms of the panel share: the fewest that one of them asks for, since fine cells of a small
    /// sample would only show its noise.
    fn histogram_cells(&mut self, x: Range) -> usize {
        let counts = self.data.iter_mut().filter_map(|data| match data {
            Data::Histogram { values, cells } => Some(cells.unwrap_or_else(|| bins::histogram_cells(values, x))),
            _ => None,
        });
        counts.min().unwrap_or(1)
    }

    /// Cells along the longer side that all heat maps of the panel share.
    fn grid_cells(&self) -> Option<usize> {
        let counts = self.data.iter().filter_map(|data| match data {
            Data::Density { cells, .. } => Some(*cells),
            _ => None,
        });
        counts.min()
    }

    fn note_outside(&self, x: Range, y: Range, notes: &mut Vec<String>) {
        for data in &self.data {
            let outside = match data {
                Data::Scatter(points) | Data::Density { points, .. } => {
                    points.iter().filter(|p| !(x.holds(p[0]) && y.holds(p[1]))).count()
                }
                Data::Histogram { values, .. } => values.iter().filter(|&&v| !x.holds(v)).count(),
                // A line that leaves the frame shows that it does, and so does what covers an area.
                Data::Line(_) | Data::Cells(_) | Data::Image(_) => 0,
            };
            if outside > 0 {
                notes.push(format!("{}: {outside} of {} outside the axes", self.name, data.len()));
            }
        }
    }

    fn ready(mut self, x: Range, y: Range, fewest: Option<usize>) -> Ready {
        let ratio = self.ratio(x, y);
        let steps = self.histogram_cells(x);
        let shape = grid_shape(x, y, ratio, fewest.or_else(|| self.grid_cells()).unwrap_or(1));
        let layers = self.panel.layers.iter().zip(self.data).enumerate().map(|(index, (layer, data))| ReadyLayer {
            index: layer.colour.and_then(colours::place).unwrap_or(index),
            shape: match data {
                Data::Scatter(points) => Shape::Dots(points),
                Data::Density { points, is_energy: false, .. } => Shape::Heat(bins::grid(&points, x, y, shape)),
                Data::Density { points, is_energy: true, .. } => {
                    Shape::Heat(bins::free_energy(bins::grid(&points, x, y, shape)))
                }
                Data::Cells(cells) => Shape::Heat(grid_of(cells)),
                Data::Image(image) => Shape::Image(image),
                Data::Line(line) => Shape::Line(line),
                Data::Histogram { values, .. } => Shape::Steps(bins::histogram(&values, x, steps)),
            },
            label: layer.label.clone(),
            colour: layer.colour.unwrap_or_else(|| colours::series(index)),
            alpha: layer.alpha,
            size: layer.size,
        });
        let layers: Vec<ReadyLayer> = layers.collect();
        let heats = self.panel.layers.iter().zip(&layers).filter_map(|(layer, ready)| match &ready.shape {
            Shape::Heat(grid) => layer.mark.levels(grid),
            _ => None,
        });
        let levels = heats.reduce(|a, b| Levels { range: a.range.joined(b.range), ..a });
        Ready { x, y, ratio, levels, layers }
    }

    fn ratio(&self, x: Range, y: Range) -> Option<f64> {
        let ratio = y.length() / x.length();
        let spatial = self.data.iter().any(|data| !matches!(data, Data::Line(_) | Data::Histogram { .. }));
        let linear = [x.scale, y.scale] == [Scale::Linear; 2];
        let natural = spatial && linear && (1.0 / 3.0..=3.0).contains(&ratio);
        self.panel.equal.unwrap_or(natural).then_some(ratio)
    }
}

impl Mark {
    /// Points or numbers.
    fn len(&self) -> usize {
        match self {
            Self::Scatter { points } | Self::Density { points, .. } | Self::FreeEnergy { points, .. } => points.len(),
            Self::Heatmap(cells) => cells.values.len(),
            Self::Image(image) => image.pixels.len(),
            Self::Line { x, .. } => x.len(),
            Self::Histogram { values, .. } => values.len(),
        }
    }

    /// What the colours of a heat map stand for.
    fn levels(&self, grid: &Grid) -> Option<Levels> {
        let scale = Scale::Linear;
        let found = || Range::of(grid.values.iter().copied().filter(|&value| scale.shows(value)), scale);
        let from_0 = |range: Range| Range { low: 0.0, high: range.high.max(f64::MIN_POSITIVE), ..range };
        let (range, label, reversed) = match self {
            Self::Density { .. } => (found().map(from_0)?, "density", false),
            Self::FreeEnergy { .. } => (found().map(from_0)?, "−ln p/p_max", true),
            Self::Heatmap(cells) => {
                let given = cells.range.map(|ends| Range::between(ends, scale));
                // One number everywhere is the middle of a range.
                let some_length = |range: Range| if range.low < range.high { range } else { range.padded(0.0) };
                (given.or_else(|| found().map(some_length))?, cells.label.as_str(), false)
            }
            _ => return None,
        };
        Some(Levels { range, label: label.to_owned(), reversed })
    }
}

impl Data {
    /// What of `mark` axes of the given scales can show.
    fn new(mark: &Mark, [x_scale, y_scale]: [Scale; 2]) -> Self {
        let shown = |x: f64, y: f64| x_scale.shows(x) && y_scale.shows(y);
        let clean = |points: &[[f64; 2]]| points.iter().filter(|p| shown(p[0], p[1])).copied().collect::<Vec<_>>();
        match mark {
            Mark::Scatter { points } => Self::Scatter(clean(points)),
            Mark::Density { points, cells } => {
                let points = clean(points);
                let cells = cells.unwrap_or_else(|| bins::grid_cells(points.len()));
                Self::Density { points, cells, is_energy: false }
            }
            Mark::FreeEnergy { points, cells } => {
                Self::Density { points: clean(points), cells: *cells, is_energy: true }
            }
            Mark::Heatmap(cells) => Self::Cells(cells.clone()),
            Mark::Image(image) => Self::Image(image.clone()),
            Mark::Line { x, y, errors, style } => {
                let error = |i: usize| errors.as_ref().map_or(0.0, |e| if e[i].is_finite() { e[i] } else { 0.0 });
                let points: Vec<[f64; 3]> = (0..x.len()).map(|i| [x[i], y[i], error(i)]).collect();
                let runs = points.split(|p| !shown(p[0], p[1])).filter(|run| !run.is_empty()).map(<[_]>::to_vec);
                Self::Line(Line { runs: runs.collect(), style: *style, bars: errors.is_some() })
            }
            Mark::Histogram { values, cells } => Self::Histogram {
                values: values.iter().copied().filter(|&v| x_scale.shows(v)).collect(),
                cells: *cells,
            },
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Scatter(points) | Self::Density { points, .. } => points.len(),
            Self::Cells(cells) => cells.values.iter().filter(|&&value| Scale::Linear.shows(value)).count(),
            Self::Image(image) => image.pixels.len(),
            Self::Line(line) => line.runs.iter().map(Vec::len).sum(),
            Self::Histogram { values, .. } => values.len(),
        }
    }
}

fn grid_of(cells: Cells) -> Grid {
    let range = |ends: [f64; 2]| Range::between(ends, Scale::Linear);
    Grid { shape: cells.shape, x: range(cells.x), y: range(cells.y), values: cells.values }
}

fn column(points: &[[f64; 2]], index: usize) -> Vec<f64> {
    points.iter().map(|point| point[index]).collect()
}

fn fixed(axis: &Axis) -> Option<Range> {
    axis.limits.map(|ends| Range::between(ends, axis.scale))
}

/// What holds all of `ranges`, with a margin.
fn around(ranges: impl Iterator<Item = Option<Range>>, margin: f64, scale: Scale) -> Range {
    ranges.flatten().reduce(Range::joined).unwrap_or(Range::between([1.0; 2], scale)).padded(margin)
}

/// Cells along x and y: square on paper where units of x and y are equally long.
fn grid_shape(x: Range, y: Range, ratio: Option<f64>, cells: usize) -> [usize; 2] {
    let shorter = |share: f64| ((cells as f64 * share).round() as usize).max(1);
    match ratio {
        Some(_) if y.length() > x.length() => [shorter(x.length() / y.length()), cells],
        Some(_) => [cells, shorter(y.length() / x.length())],
        None => [cells; 2],
    }
}
