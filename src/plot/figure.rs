//! What a figure shows: panels of layers, with nothing yet about where on the paper.

use super::axes::Scale;
use super::colours::Colour;
use super::options::USUAL_DPI;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// A picture of one or several panels.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels per row; chosen from their number where not given.
    pub columns: Option<usize>,
    /// Width on paper in mm; where not given, 86 (one column of a journal) for a single column of panels, 130 for two
    /// that share their axes, else 178 (both columns).
    pub width: Option<f64>,
    /// Height on paper in mm; what the panels need where none is given.
    pub height: Option<f64>,
    /// Dots per inch of the PNG.
    pub dpi: f64,
    /// Panels are compared: one range of x, one of y, one colour scale for all of them.
    pub shared: bool,
    /// Panels have letters: a, b, c, ..
    pub letters: bool,
}

/// One pair of axes and what is drawn on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Panel {
    /// Text above the panel.
    pub title: String,
    /// What is drawn, the first at the back.
    pub layers: Vec<Layer>,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Whether a unit of x is as long as a unit of y; where not given, it is for scatter and density panels on linear
    /// axes whose sides differ by less than a factor of three.
    pub equal: Option<bool>,
}

/// An axis of a panel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// Text beside the axis.
    pub label: String,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Lower and upper end; chosen from the data where not given.
    pub limits: Option<[f64; 2]>,
    /// Ticks are at multiples of this; at round numbers where it is not given.
    pub step: Option<f64>,
    /// Neither ticks nor numbers are drawn.
    pub hidden: bool,
}

/// Data and how to draw them.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The data.
    pub mark: Mark,
    /// Name in the legend, which is drawn where two or more layers of a panel have one.
    pub label: String,
    /// Colour; the next of the palette where not given.
    pub colour: Option<Colour>,
    /// Opacity in (0, 1] of dots; chosen from their number where not given.
    pub alpha: Option<f64>,
    /// Radius of dots, or width of lines, in points (1/72 inch).
    pub size: Option<f64>,
}

/// The data of a layer. Numbers that are not finite (or not positive, on a logarithmic axis) are left out and counted.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A dot at every point.
    Scatter {
        /// x and y of each point.
        points: Vec<[f64; 2]>,
    },
    /// The density of points as a heat map.
    Density {
        /// x and y of each point.
        points: Vec<[f64; 2]>,
        /// Cells along the longer side; chosen from the number of points where not given.
        cells: Option<usize>,
    },
    /// The free energy −ln p/p_max of points as a heat map, with p the density in a cell; cells without points stay
    /// blank.
    FreeEnergy {
        /// x and y of each point.
        points: Vec<[f64; 2]>,
        /// Cells along the longer side.
        cells: usize,
    },
    /// Numbers as a heat map.
    Heatmap(Cells),
    /// A picture, its first row at the top; it goes from 0 to its width and from 0 to its height.
    Image(Raster),
    /// A line through points in the order given, broken where one is missing.
    Line {
        /// Abscissae.
        x: Vec<f64>,
        /// Ordinates, as many.
        y: Vec<f64>,
        /// Half the height of the error bar of each point, in the unit of y.
        errors: Option<Vec<f64>>,
        /// How the line is drawn.
        style: LineStyle,
    },
    /// The density of numbers as a step line.
    Histogram {
        /// The numbers.
        values: Vec<f64>,
        /// Cells over the panel; chosen by the rule of Freedman and Diaconis where not given.
        cells: Option<usize>,
    },
}

/// Numbers on equal cells of a rectangle.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// Cells along x and y.
    pub shape: [usize; 2],
    /// [y, x] row-major, the lowest y first; where one is not finite the paper shows.
    pub values: Vec<f64>,
    /// Where the cells begin and end along x.
    pub x: [f64; 2],
    /// Where the cells begin and end along y.
    pub y: [f64; 2],
    /// Numbers at the ends of the colours; the smallest and the largest where not given.
    pub range: Option<[f64; 2]>,
    /// Text beside the colour bar.
    pub label: String,
}

/// A picture of pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Raster {
    /// Pixels along x and y.
    pub shape: [usize; 2],
    /// Row by row, from the top.
    pub pixels: Vec<Colour>,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineStyle {
    /// A symbol at every point; where not given, up to 40 points get one.
    pub markers: Option<bool>,
    /// Broken into dashes.
    pub dashed: bool,
    /// Errors are a shaded band instead of bars.
    pub band: bool,
}

/// Dots at `points`.
pub fn scatter(points: Vec<[f64; 2]>) -> Layer {
    Layer::new(Mark::Scatter { points })
}

/// The density of `points` as a heat map.
pub fn density(points: Vec<[f64; 2]>) -> Layer {
    Layer::new(Mark::Density { points, cells: None })
}

/// A line through the points (`x`, `y`).
pub fn line(x: Vec<f64>, y: Vec<f64>) -> Layer {
    Layer::new(Mark::Line { x, y, errors: None, style: LineStyle::default() })
}

/// The density of `values` as a step line.
pub fn histogram(values: Vec<f64>) -> Layer {
    Layer::new(Mark::Histogram { values, cells: None })
}

impl Layer {
    /// A layer in the default style.
    pub fn new(mark: Mark) -> Self {
        Self { mark, label: String::new(), colour: None, alpha: None, size: None }
    }

    /// The same layer with a name in the legend.
    #[must_use]
    pub fn labelled(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }
}

impl Panel {
    /// A panel of `layers` on linear axes.
    pub fn new(layers: Vec<Layer>) -> Self {
        Self { layers, ..Self::default() }
    }

    /// The same panel with a text above.
    #[must_use]
    pub fn titled(self, title: impl Into<String>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// The same panel with texts beside its axes.
    #[must_use]
    pub fn with_labels(mut self, x: impl Into<String>, y: impl Into<String>) -> Self {
        self.x.label = x.into();
        self.y.label = y.into();
        self
    }
}

impl Figure {
    /// Panels side by side, each with its own ranges, at 300 dots per inch.
    pub fn new(panels: Vec<Panel>) -> Self {
        Self { panels, columns: None, width: None, height: None, dpi: USUAL_DPI, shared: false, letters: false }
    }

    /// Panels side by side that share their ranges and colours, for comparison.
    pub fn compare(panels: Vec<Panel>) -> Self {
        Self { shared: true, ..Self::new(panels) }
    }
}

/// The rows of a tensor of shape `[n, 2]` as points.
///
/// # Errors
/// When the tensor has another shape.
pub fn points(tensor: &Tensor) -> Result<Vec<[f64; 2]>> {
    match tensor.shape() {
        [_, 2] => Ok(tensor.values().chunks_exact(2).map(|p| [f64::from(p[0]), f64::from(p[1])]).collect()),
        shape => Err(Error::argument("data", format!("must have shape [n, 2], got {shape:?}"))
            .with_hint("pick two columns first: one point per row, x and y")),
    }
}

/// The numbers of a tensor of shape `[n]` or `[n, 1]`; `name` is what an error calls it.
///
/// # Errors
/// When the tensor has another shape.
pub fn series(name: &str, tensor: &Tensor) -> Result<Vec<f64>> {
    match tensor.shape() {
        [_] | [_, 1] => Ok(tensor.values().iter().copied().map(f64::from).collect()),
        shape => Err(Error::argument(name, format!("must have shape [n], got {shape:?}"))
            .with_hint("give several lines as an array, one series each")),
    }
}

/// 0, 1, 2, ...: abscissae for `count` numbers that have none.
pub fn positions(count: usize) -> Vec<f64> {
    (0..count).map(|index| index as f64).collect()
}
