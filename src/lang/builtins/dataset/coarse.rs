//! Data that single precision does not hold.

use rhai::NativeCallContext;

use crate::data::Dataset;
use crate::lang::failure::Outcome;
use crate::lang::surroundings::task;

/// The data, with a warning where single precision cannot hold them.
pub(super) fn said(ctx: &NativeCallContext, data: Dataset) -> Outcome<Dataset> {
    data.coarseness().iter().for_each(|warning| task(ctx).warn(warning));
    Ok(data)
}
