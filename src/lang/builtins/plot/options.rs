//! The tables of options of the functions of `plot`.

use crate::lang::options::Table;
use crate::plot::options::{ALPHA, COLUMNS, DENSITY_CELLS, DPI, HEIGHT, HISTOGRAM_CELLS, LINE_WIDTH, RADIUS, WIDTH};
use crate::settings::{Choice, Preset, Setting};

pub(super) const OPTIONS: &[(&str, Table)] =
    &[("scatter", SCATTER), ("density", DENSITY), ("lines", LINES), ("histogram", HISTOGRAM), ("panels", PANELS)];

/// Of the functions of `maps.rs`.
pub(super) const MAPS: &[(&str, Table)] =
    &[("heatmap", HEATMAP), ("images", IMAGES), ("ramachandran", RAMACHANDRAN), ("animate", ANIMATE)];

pub(super) const HEATMAP: Table = &[
    &[
        Setting::text("label", "text beside the colour bar").or_else(""),
        Setting::numbers("range", "`[low, high]`, the numbers at the ends of the colours").or_else("all numbers"),
        Setting::choice("origin", "where the first row is", ORIGINS),
        Setting::numbers("x", "`[low, high]`, where the cells begin and end along x")
            .or_else("centres of cells at 0, 1, .."),
        Setting::numbers("y", "`[low, high]`, where the cells begin and end along y")
            .or_else("centres of cells at 0, 1, .."),
        TITLE,
    ],
    AXES,
    &[EQUAL.or_else("unless the panel would be longer than 3 : 1")],
    PAPER,
];

const ORIGINS: &[Choice] = &[
    Choice::new("lower", "the lowest, as for a function of x and y"),
    Choice::new(UPPER, "the highest, as a matrix is written; the y axis then runs downwards"),
];
pub(super) const UPPER: &str = "upper";

pub(super) const IMAGES: Table = &[&[TITLES], GRID, PAPER];

pub(super) const RAMACHANDRAN: Table = &[&[TITLES, DENSITY_CELLS.or(72.0), COLUMNS], PAPER];

pub(super) const ANIMATE: Table = &[
    &[
        Setting::text("file", "where to save it, as `.gif`, `.png` or `.apng`").required("write file: \"paths.gif\""),
        Setting::number("rate", "frames per second").between(0.1, 100.0).or(20.0),
        Setting::texts("titles", "strings, one above the panel at each time").or_else(""),
    ],
    AXES,
    &[
        limits("all points of all times but lone outliers"),
        RADIUS,
        ALPHA,
        EQUAL.or_else("unless the panel would be longer than 3 : 1"),
    ],
    GRID,
    &[WIDTH, Setting { default: Preset::Number(120.0), ..DPI }],
];

/// Grids of images.
const GRID: &[Setting] = &[
    Setting::count("columns", "images in a row").or_else("as many as rows"),
    Setting::count("count", "images of each set that are shown").or_else("64, or all of fewer"),
    Setting::numbers("range", "`[low, high]`, the numbers that are black and white").or_else("all numbers of all sets"),
];

pub(super) const SCATTER: Table = &[
    &[
        TITLES,
        Setting::texts(
            "labels",
            "strings, one for each set, in place of `titles`: all sets in one panel, with a legend",
        )
        .or_else(""),
    ],
    AXES,
    &[
        limits("all points but lone outliers, which are counted in `notes`"),
        COLOURS,
        RADIUS,
        ALPHA,
        EQUAL.or_else("unless the panel would be longer than 3 : 1"),
        SAME_AXES.or_true(),
        COLUMNS,
    ],
    PAPER,
];

pub(super) const DENSITY: Table = &[
    &[TITLES, DENSITY_CELLS],
    AXES,
    &[
        limits("all points but lone outliers, which are counted in `notes`"),
        EQUAL.or_else("unless the panel would be longer than 3 : 1"),
        Setting::flag("same_axes", "all panels have the same axes and colours").or_true(),
        COLUMNS,
    ],
    PAPER,
];

pub(super) const LINES: Table = &[
    &[
        Setting::texts("labels", "strings, one for each line, for the legend").or_else(""),
        Setting::other("errors", "numbers of the shape of `y`", "half heights of the error bars, of the shape of `y`")
            .or_else(""),
        Setting::flag("band", "errors are drawn as a shaded band"),
        Setting::flag("markers", "a symbol at each point").or_else("up to 40 points"),
        Setting::other(
            "dashed",
            "true, false or an array of these",
            "all lines are broken, or an array with true or false for each",
        )
        .or_else("false"),
        COLOURS,
        Setting::flag("log_x", "the x axis is logarithmic"),
        Setting::flag("log_y", "the y axis is logarithmic"),
        LINE_WIDTH,
        TITLE,
    ],
    AXES,
    &[limits("all points"), EQUAL],
    PAPER,
];

pub(super) const HISTOGRAM: Table = &[
    &[
        Setting::texts("labels", "strings, one for each set, for the legend").or_else(""),
        COLOURS,
        HISTOGRAM_CELLS,
        TITLE,
        X_LABEL,
        Setting::text("y_label", "text beside the y axis").or_text("density"),
        Setting::flag("log_y", "the densities are logarithmic"),
        limits("all numbers but lone outliers"),
    ],
    PAPER,
];

pub(super) const PANELS: Table =
    &[&[COLUMNS, SAME_AXES, Setting::flag("letters", "a, b, c, .. at the panels, to speak of them")], PAPER];

const COLOURS: Setting = Setting::counts(
    "colours",
    "a number for each line or set, its place in the palette: 0 blue, 1 vermilion, 2 green, 3 purple, 4 orange, 5 sky blue, \
     6 black",
)
.between(0.0, 6.0)
.or_else("by their order");

const TITLES: Setting = Setting::texts("titles", "strings, one above each panel").or_else("");
const TITLE: Setting = Setting::text("title", "text above the panel").or_else("");
const EQUAL: Setting = Setting::flag("equal", "a unit of x is as long as a unit of y");
const SAME_AXES: Setting = Setting::flag("same_axes", "all panels have the same axes");

const AXES: &[Setting] = &[X_LABEL, Setting::text("y_label", "text beside the y axis").or_else("")];
const X_LABEL: Setting = Setting::text("x_label", "text below the x axis").or_else("");

const fn limits(default: &'static str) -> Setting {
    const WANTED: &str = "[low, high] or #{ x: [low, high], y: [low, high] }";
    const MEANING: &str = "`[low, high]` of both axes, or `#{ x: [low, high], y: [low, high] }`, or one of the two";
    Setting::other("limits", WANTED, MEANING).or_else(default)
}

/// The paper, and where to save it.
const PAPER: &[Setting] =
    &[WIDTH, HEIGHT, DPI, Setting::text("file", "where to save it, as `.png` or `.svg`").or_else("not saved")];

/// The axes of a map of limits.
pub(super) const SIDES: Table = &[&[
    Setting::numbers("x", "`[low, high]` of the x axis").or_else(""),
    Setting::numbers("y", "`[low, high]` of the y axis").or_else(""),
]];
