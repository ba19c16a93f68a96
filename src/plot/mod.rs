//! Figures: what is drawn, and its rendering as PNG and SVG.
