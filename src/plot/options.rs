//! What can be set of figures by name, where it has a range.

use crate::settings::{Range, Setting};

/// Lengths on paper in mm.
const LENGTH: Range = Range::between(20.0, 1000.0);

/// Width on paper.
pub const WIDTH: Setting = Setting::number("width", "width on paper in mm; 86 is one column of a journal, 178 both")
    .within(LENGTH)
    .in_unit("mm")
    .or_else("one or both columns, as the panels need");

/// Height on paper.
pub const HEIGHT: Setting =
    Setting::number("height", "height on paper in mm").within(LENGTH).in_unit("mm").or_else("as the panels need");

/// Dots per inch where nothing else is said.
pub(super) const USUAL_DPI: f64 = 300.0;

/// Resolution of a PNG.
pub const DPI: Setting =
    Setting::number("dpi", "dots per inch of a PNG").between(36.0, 1200.0).in_unit("dots per inch").or(USUAL_DPI);

/// Panels per row.
pub const COLUMNS: Setting = Setting::count("columns", "panels per row").or_else("by their number");

/// Opacity of dots.
pub const ALPHA: Setting =
    Setting::number("alpha", "opacity of the dots").within(Range::above(0.0).up_to(1.0)).or_else("by their number");

/// Radius of dots, or width of lines.
const SIZES: Range = Range::above(0.0).up_to(50.0);

/// Radius of dots.
pub const RADIUS: Setting =
    Setting::number("size", "radius of the dots in points, 1/72 inch").within(SIZES).or_else("by their number");

/// Width of lines.
pub const LINE_WIDTH: Setting = Setting::number("size", "width of the lines in points, 1/72 inch")
    .within(SIZES)
    .in_unit("points")
    .or_else("1.1, finer for more than 2000 points");

const CELLS: Range = Range::between(1.0, 2000.0);

/// Cells of a heat map.
pub const DENSITY_CELLS: Setting =
    Setting::count("cells", "cells along the longer side").within(CELLS).or_else("by the number of points");

/// Cells of a histogram.
pub const HISTOGRAM_CELLS: Setting = Setting::count("cells", "number of cells")
    .within(CELLS)
    .or_else("by the rule of Freedman and Diaconis, for the coarsest set");
