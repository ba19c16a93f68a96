//! Options that several layers share.

use crate::nn::graph::Padding;
use crate::settings::{Choice, Setting, words};

pub(super) const WEIGHTS: &[Setting] = &[
    Setting::flag("bias", "whether a number is added to each channel").or_true(),
    Setting::number(
        "gain",
        "first weights are normals with this standard deviation over the square root of the number of terms of a sum; \
         0 for zeros",
    )
    .between(0.0, 100.0)
    .or(1.0),
];

pub(super) const KERNEL: Setting =
    Setting::count("kernel", "taps along each side of a window, odd").between(1.0, 31.0).or(3.0);
pub(super) const PADDING: Setting = Setting::choice("padding", "what stands outside the image", &words(PADDINGS));

pub(super) const PADDINGS: &[(Choice, Padding); 2] = &[
    (Choice::new("zeros", "zeros"), Padding::Zeros),
    (Choice::new("periodic", "the other side, as on a lattice with periodic boundaries"), Padding::Periodic),
];
