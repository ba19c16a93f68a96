//! Fused passes on the processor that networks share.
//!
//! Written out by hand where a general framework would chain small operations: between two matrix products stands one
//! pass over memory, no buffer is allocated on the way, and a batch is cut into chunks that depend on nothing but the
//! batch. Samples come in and go out component-major, [features, count], as the rest of the program keeps them; between
//! layers the layout is [count, width], in which both products of the backward pass read memory in order.

mod elementwise;
mod optimiser;
mod packed;
mod product;
mod sums;
mod winograd;

pub(super) use elementwise::{
    activate, activate_panel, activate_panel_with_slopes, activate_with_slopes, add_outer, add_through, squared_error,
    through_activation,
};
pub use optimiser::{Adam, Averages, STRIP, reduce, squares};
pub(super) use packed::{Form, Matrix, Packed};
pub(super) use product::{Left, PANEL, Right, Shape, add_product, multiply, transform, transform_back};
pub(super) use sums::{sum_products, sum_rows, sum_squares};
pub(super) use winograd::{Channels, POINTS, Tiling, enter_tiles, leave_tiles, scatter_tiles, taps_of_points};
