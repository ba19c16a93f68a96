//! Networks: layers, optimiser, moving averages, checkpoints.
