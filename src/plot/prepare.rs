//! From the description of a figure to numbers that can be drawn: checked, cleaned, with ranges, binned.

use super::axes::{Range, Scale};
use super::bins::{self, Grid};
use super::colours::{self, Colour};
use super::figure::{Axis, Figure, Layer, LineStyle, Mark, Panel};
use crate::error::{Error, Result};

/// A panel ready to be drawn.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) x: Range,
    pub(super) y: Range,
    /// Length of the y axis over that of the x axis on paper, where the data ask for one.
    pub(super) ratio: Option<f64>,
    pub(super) layers: Vec<ReadyLayer>,
}

/// A layer ready to be drawn.
#[derive(Debug)]
pub(super) struct ReadyLayer {
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
    /// Points with the half height of their error bars (0 where there is none), in unbroken runs.
    Line {
        runs: Vec<Vec<[f64; 3]>>,
        style: LineStyle,
        bars: bool,
    },
    /// Heights of equal cells over the range of x.
    Steps(Vec<f64>),
}

/// All panels of a figure, the colour scale's upper end where there are heat maps, and what was left out, in words.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) panels: Vec<Ready>,
    pub(super) brightest: Vec<Option<f64>>,
    pub(super) notes: Vec<String>,
}

/// Checks a figure and computes all that its drawing needs.
pub(super) fn prepare(figure: &Figure) -> Result<Prepared> {
    check(figure)?;
    let mut notes = Vec::new();
    let mut panels = Vec::with_capacity(figure.panels.len());
    for (index, panel) in figure.panels.iter().enumerate() {
        panels.push(Clean::new(panel, &name(panel, index), &mut notes)?);
    }
    let mut xs: Vec<Range> = panels.iter_mut().map(Clean::x_range).collect();
    share(figure, &mut xs);
    let cells: Vec<Option<usize>> = panels.iter().map(Clean::cells).collect();
    let fewest = cells.iter().flatten().min().copied();
    let mut ys: Vec<Range> = panels.iter_mut().zip(&xs).map(|(panel, &x)| panel.y_range(x)).collect();
    share(figure, &mut ys);
    let mut ready = Vec::with_capacity(panels.len());
    for (index, panel) in panels.into_iter().enumerate() {
        panel.note_outside(xs[index], ys[index], &mut notes);
        let cells = if figure.shared { fewest } else { cells[index] };
        ready.push(panel.ready(xs[index], ys[index], cells));
    }
    let brightest = brightest(&ready, figure.shared);
    Ok(Prepared { panels: ready, brightest, notes })
}

fn name(panel: &Panel, index: usize) -> String {
    if panel.title.is_empty() { format!("panel {}", index + 1) } else { format!("panel `{}`", panel.title) }
}

fn share(figure: &Figure, ranges: &mut [Range]) {
    if let (true, Some(joined)) = (figure.shared, ranges.iter().copied().reduce(Range::joined)) {
        ranges.fill(joined);
    }
}

fn brightest(panels: &[Ready], shared: bool) -> Vec<Option<f64>> {
    let of = |panel: &Ready| {
        let grids = panel.layers.iter().filter_map(|layer| match &layer.shape {
            Shape::Heat(grid) => Some(grid.density.iter().copied().fold(f64::MIN_POSITIVE, f64::max)),
            _ => None,
        });
        grids.reduce(f64::max)
    };
    let each: Vec<Option<f64>> = panels.iter().map(of).collect();
    let all = each.iter().flatten().copied().reduce(f64::max);
    if shared { each.into_iter().map(|own| own.and(all)).collect() } else { each }
}

fn check(figure: &Figure) -> Result<()> {
    if figure.panels.is_empty() {
        return Err(Error::argument("panels", "is empty: a figure needs at least one panel"));
    }
    if figure.columns == Some(0) {
        return Err(Error::argument("columns", "must be at least 1, got 0"));
    }
    for (name, length) in [("width", figure.width), ("height", figure.height)] {
        if let Some(length) = length.filter(|length| !(20.0..=1000.0).contains(length)) {
            return Err(Error::argument(name, format!("must be 20 to 1000 mm, got {length}"))
                .with_hint("86 is one column of a journal, 178 both"));
        }
    }
    if !(36.0..=1200.0).contains(&figure.dpi) {
        return Err(Error::argument("dpi", format!("must be 36 to 1200 dots per inch, got {}", figure.dpi)));
    }
    for panel in &figure.panels {
        check_axis("x", &panel.x)?;
        check_axis("y", &panel.y)?;
        panel.layers.iter().try_for_each(|layer| check_layer(layer, panel))?;
    }
    if figure.shared && figure.panels.iter().any(|p| scales(p) != scales(&figure.panels[0])) {
        return Err(Error::argument("panels", "share their ranges, but some axes are linear and others logarithmic"));
    }
    Ok(())
}

fn scales(panel: &Panel) -> [Scale; 2] {
    [panel.x.scale, panel.y.scale]
}

fn check_axis(name: &str, axis: &Axis) -> Result<()> {
    let Some([low, high]) = axis.limits else { return Ok(()) };
    let wrong = |problem: &str| Err(Error::argument("limits", format!("of {name} are [{low}, {high}]: {problem}")));
    if !(low.is_finite() && high.is_finite()) {
        return wrong("both must be finite");
    }
    if low >= high {
        return wrong("the first must be below the second");
    }
    if axis.scale == Scale::Log && low <= 0.0 {
        return wrong("a logarithmic axis starts above 0");
    }
    Ok(())
}

fn check_layer(layer: &Layer, panel: &Panel) -> Result<()> {
    if let Some(alpha) = layer.alpha.filter(|alpha| !(*alpha > 0.0 && *alpha <= 1.0)) {
        return Err(Error::argument("alpha", format!("must be above 0 and at most 1, got {alpha}")));
    }
    if let Some(size) = layer.size.filter(|size| !(*size > 0.0 && *size <= 50.0)) {
        return Err(Error::argument("size", format!("must be above 0 and at most 50 points, got {size}")));
    }
    match &layer.mark {
        Mark::Line { x, y, .. } if x.len() != y.len() => {
            Err(Error::argument("y", format!("has {} values for {} of `x`", y.len(), x.len())))
        }
        Mark::Line { y, errors: Some(errors), .. } if errors.len() != y.len() => {
            Err(Error::argument("errors", format!("has {} values for {} of `y`", errors.len(), y.len())))
        }
        Mark::Line { errors: Some(errors), .. } if errors.iter().any(|&error| error < 0.0) => {
            Err(Error::argument("errors", "must not be negative: each is half the height of an error bar"))
        }
        Mark::Density { cells: Some(cells), .. } | Mark::Histogram { cells: Some(cells), .. }
            if !(1..=2000).contains(cells) =>
        {
            Err(Error::argument("cells", format!("must be 1 to 2000, got {cells}")))
        }
        Mark::Density { .. } if scales(panel) != [Scale::Linear; 2] => {
            Err(Error::argument("log_x", "and `log_y` are not supported for densities")
                .with_hint("take the logarithm of the data"))
        }
        Mark::Histogram { .. } if panel.x.scale == Scale::Log => {
            Err(Error::argument("log_x", "is not supported for histograms").with_hint("take the logarithm of the data"))
        }
        _ => Ok(()),
    }
}

/// A panel whose layers hold only what its axes can show.
struct Clean<'a> {
    panel: &'a Panel,
    name: String,
    layers: Vec<Data>,
}

enum Data {
    Points(Vec<[f64; 2]>),
    Runs(Vec<Vec<[f64; 3]>>),
    Values(Vec<f64>),
}

impl<'a> Clean<'a> {
    fn new(panel: &'a Panel, name: &str, notes: &mut Vec<String>) -> Result<Self> {
        if panel.layers.is_empty() {
            return Err(Error::argument("data", format!("of {name} is empty: there is nothing to draw")));
        }
        let mut layers = Vec::with_capacity(panel.layers.len());
        for layer in &panel.layers {
            let (total, data) = clean(&layer.mark, scales(panel));
            let left = data.len();
            let what = if scales(panel) == [Scale::Linear; 2] { "finite" } else { "finite and positive" };
            if left == 0 {
                let problem = match total {
                    0 => format!("of {name} is empty: there is nothing to draw"),
                    _ => format!("of {name} holds {total} numbers or points, none of them {what}"),
                };
                return Err(Error::argument("data", problem));
            }
            if left < total {
                notes.push(format!("{name}: {} of {total} left out, not {what}", total - left));
            }
            layers.push(data);
        }
        Ok(Self { panel, name: name.to_owned(), layers })
    }

    fn x_range(&mut self) -> Range {
        let scale = self.panel.x.scale;
        fixed(&self.panel.x).unwrap_or_else(|| {
            let ranges = self.layers.iter_mut().filter_map(|data| match data {
                Data::Points(points) => Range::of_bulk(&mut column(points, 0), scale),
                Data::Runs(runs) => Range::of(runs.iter().flatten().map(|p| p[0]), scale),
                Data::Values(values) => Range::of_bulk(values, scale),
            });
            padded(ranges.reduce(Range::joined), 0.04, scale)
        })
    }

    fn y_range(&mut self, x: Range) -> Range {
        let scale = self.panel.y.scale;
        fixed(&self.panel.y).unwrap_or_else(|| {
            let cells = self.histogram_cells(x);
            let ranges: Vec<Range> = self
                .layers
                .iter()
                .filter_map(|data| match data {
                    Data::Points(points) => Range::of_bulk(&mut column(points, 1), scale),
                    Data::Runs(runs) => {
                        let ends = runs.iter().flatten().flat_map(|p| [p[1] - p[2], p[1], p[1] + p[2]]);
                        Range::of(ends.filter(|&end| scale.shows(end)), scale)
                    }
                    Data::Values(values) => {
                        let heights = bins::histogram(values, x, cells);
                        let zero = (scale == Scale::Linear).then_some(0.0);
                        Range::of(heights.into_iter().filter(|&height| height > 0.0).chain(zero), scale)
                    }
                })
                .collect();
            let mut range = padded(ranges.into_iter().reduce(Range::joined), 0.06, scale);
            if scale == Scale::Linear && self.layers.iter().all(|data| matches!(data, Data::Values(_))) {
                // Histograms stand on the axis.
                range.low = 0.0;
            }
            range
        })
    }

    /// Cells that all histograms of the panel share.
    fn histogram_cells(&mut self, x: Range) -> usize {
        let own = self.panel.layers.iter().find_map(|layer| match layer.mark {
            Mark::Histogram { cells, .. } => cells,
            _ => None,
        });
        own.unwrap_or_else(|| {
            let counts = self.layers.iter_mut().filter_map(|data| match data {
                Data::Values(values) => Some(bins::histogram_cells(values, x)),
                _ => None,
            });
            // The coarsest: fine cells of a small sample would only show its noise.
            counts.min().unwrap_or(1)
        })
    }

    /// Cells along the longer side of the panel's heat maps.
    fn cells(&self) -> Option<usize> {
        let counts = self.panel.layers.iter().zip(&self.layers).filter_map(|(layer, data)| match &layer.mark {
            Mark::Density { cells, .. } => Some(cells.unwrap_or_else(|| bins::grid_cells(data.len()))),
            _ => None,
        });
        counts.min()
    }

    fn note_outside(&self, x: Range, y: Range, notes: &mut Vec<String>) {
        for data in &self.layers {
            let (outside, total) = match data {
                Data::Points(points) => {
                    (points.iter().filter(|p| !(x.holds(p[0]) && y.holds(p[1]))).count(), points.len())
                }
                Data::Values(values) => (values.iter().filter(|&&v| !x.holds(v)).count(), values.len()),
                Data::Runs(_) => continue,
            };
            if outside > 0 {
                notes.push(format!("{}: {outside} of {total} outside the axes", self.name));
            }
        }
    }

    fn ready(mut self, x: Range, y: Range, cells: Option<usize>) -> Ready {
        let steps = self.histogram_cells(x);
        let ratio = self.ratio(x, y);
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, (layer, data)) in self.panel.layers.iter().zip(self.layers).enumerate() {
            let shape = match (data, &layer.mark) {
                (Data::Points(points), Mark::Density { .. }) => {
                    Shape::Heat(bins::grid(&points, x, y, grid_shape(x, y, ratio, cells.unwrap_or(1))))
                }
                (Data::Points(points), _) => Shape::Dots(points),
                (Data::Runs(runs), Mark::Line { style, errors, .. }) => {
                    Shape::Line { runs, style: *style, bars: errors.is_some() }
                }
                (Data::Runs(runs), _) => Shape::Line { runs, style: LineStyle::default(), bars: false },
                (Data::Values(values), _) => Shape::Steps(bins::histogram(&values, x, steps)),
            };
            layers.push(ReadyLayer {
                shape,
                label: layer.label.clone(),
                colour: layer.colour.unwrap_or_else(|| colours::series(index)),
                alpha: layer.alpha,
                size: layer.size,
            });
        }
        Ready { x, y, ratio, layers }
    }

    fn ratio(&self, x: Range, y: Range) -> Option<f64> {
        let ratio = y.length() / x.length();
        let spatial = self.layers.iter().any(|data| matches!(data, Data::Points(_)));
        let fitting = spatial && scales(self.panel) == [Scale::Linear; 2] && (1.0 / 3.0..=3.0).contains(&ratio);
        self.panel.equal.unwrap_or(fitting).then_some(ratio)
    }
}

impl Data {
    fn len(&self) -> usize {
        match self {
            Self::Points(points) => points.len(),
            Self::Runs(runs) => runs.iter().map(Vec::len).sum(),
            Self::Values(values) => values.len(),
        }
    }
}

fn column(points: &[[f64; 2]], index: usize) -> Vec<f64> {
    points.iter().map(|point| point[index]).collect()
}

fn fixed(axis: &Axis) -> Option<Range> {
    axis.limits.map(|[low, high]| Range { low, high, scale: axis.scale })
}

fn padded(range: Option<Range>, share: f64, scale: Scale) -> Range {
    range.unwrap_or(Range { low: 1.0, high: 1.0, scale }).padded(share)
}

fn grid_shape(x: Range, y: Range, ratio: Option<f64>, cells: usize) -> [usize; 2] {
    let shorter = |share: f64| ((cells as f64 * share).round() as usize).max(1);
    match ratio {
        Some(_) if y.length() > x.length() => [shorter(x.length() / y.length()), cells],
        Some(_) => [cells, shorter(y.length() / x.length())],
        None => [cells; 2],
    }
}

/// The number of points of a layer, and those that the axes can show.
fn clean(mark: &Mark, [x_scale, y_scale]: [Scale; 2]) -> (usize, Data) {
    match mark {
        Mark::Scatter { points } | Mark::Density { points, .. } => {
            let shown = points.iter().filter(|p| x_scale.shows(p[0]) && y_scale.shows(p[1])).copied().collect();
            (points.len(), Data::Points(shown))
        }
        Mark::Line { x, y, errors, .. } => {
            let error = |i: usize| errors.as_ref().map_or(0.0, |e| if e[i].is_finite() { e[i] } else { 0.0 });
            let points: Vec<[f64; 3]> = (0..x.len()).map(|i| [x[i], y[i], error(i)]).collect();
            let runs = points.split(|p| !(x_scale.shows(p[0]) && y_scale.shows(p[1])));
            (x.len(), Data::Runs(runs.filter(|run| !run.is_empty()).map(<[_]>::to_vec).collect()))
        }
        Mark::Histogram { values, .. } => {
            (values.len(), Data::Values(values.iter().filter(|v| x_scale.shows(**v)).copied().collect()))
        }
    }
}
