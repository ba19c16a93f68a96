//! Algebra of small Gaussian laws over the components of a state: the one copy of square-root propagation.
//!
//! A law over m components is held as a mean and a *factor* L, lower triangular with a diagonal ≥ 0, so that its
//! covariance is L Lᵀ. Factors are combined by orthogonal rotations and never by subtraction: soon after t = 0 the data
//! are almost determined by the driving noise, and a difference of covariances would lose every digit of what is left.

mod double;
mod factor;
mod lyapunov;
mod spectrum;

pub(crate) use double::{Double, Square};
pub use factor::{
    conditional_std, log_density, mahalanobis_squared, precision, reorder, semidefinite_factor, solve_lower,
    solve_lower_matrix, solve_lower_mut, triangularize,
};
pub(crate) use lyapunov::{Fate, fate, lyapunov};
pub(crate) use spectrum::{Eigenvalue, plain_eigenvalues, spectrum};
