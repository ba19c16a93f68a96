//! Convolutions of 3×3 taps by Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray, arXiv 1509.09308): an image is
//! cut into tiles of 2×2 pixels, each read with the pixels around it, 4×4. With d these, g the taps, and
//!
//! ```text
//! Bᵀ = [1  0 -1  0]    G = [ 1    0    0 ]    Aᵀ = [1  1  1  0]
//!      [0  1  1  0]        [1/2  1/2  1/2]         [0  1 -1 -1]
//!      [0 -1  1  0]        [1/2 -1/2  1/2]
//!      [0  1  0 -1]        [ 0    0    1 ]
//! ```
//!
//! a tile of the answer is Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A: 16 multiplications where the sum as it is written has 36. Over
//! channels each of the 16 [`POINTS`] is a product of matrices, with tiles as rows. The gradient by the taps is, with e
//! the gradient by a tile of the answer, Gᵀ [(Bᵀ d B) ⊙ (A e Aᵀ)] G, summed over tiles.
//!
//! Errors against sums in double precision, relative in the root of the mean square, with uniform numbers, 32 to 128
//! channels and 2 images of 8² to 32² pixels: of the answer 1.8e-7 to 3.5e-7, where the direct products have 3.0e-7 to
//! 5.9e-7 (their sums are longer); of the gradient by the taps 2.4e-7 to 2.5e-6, where these have 1.9e-7 to 8.1e-7.
//! Answers of the whole U-Net of the library differ from those by direct products by 1.1e-6, as these do from Candle's
//! by 1.6e-6, and its gradients by 1.2e-6.

mod taps;
#[cfg(test)]
mod tests;
mod tiles;
mod vectors;

pub(in crate::nn) use taps::taps_of_points;
pub(super) use taps::{pack_points, pack_points_transposed};
pub(in crate::nn) use tiles::{Channels, POINTS, Tiling, enter_tiles, leave_tiles, scatter_tiles};
