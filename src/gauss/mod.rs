//! Algebra of small Gaussian laws over blocks: the one copy of square-root propagation.
