//! The expression graph that tracing produces.
