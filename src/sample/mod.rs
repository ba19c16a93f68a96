//! Samplers: the reverse process from prior to data, the forward process, the kernel applied.
