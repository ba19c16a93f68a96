//! Distances between samples, and what else is measured on them.
