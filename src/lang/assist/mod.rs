//! Help while a text is written: what may come next, what a name means, which parts of the text are what. For prompts,
//! notebooks and editors; nothing here knows a terminal, and nothing fails, since what is being written is unfinished
//! most of the time.

mod complete;
mod help;
mod highlight;
mod scan;

pub use complete::{Candidate, Completion, complete};
pub use help::Page;
pub use highlight::{Style, highlight};
