//! Help while a text is written: what may come next, what a name means, which parts of the text are what. For prompts,
//! notebooks and editors; nothing here knows a terminal, and nothing fails, since what is being written is unfinished
//! most of the time.

mod argument;
pub(super) mod brackets;
pub(super) mod closure;
mod complete;
mod definitions;
mod help;
mod highlight;
mod inspect;
mod option_map;
mod receiver;
pub(super) mod scan;
mod signature;
mod source;
mod training;
mod types;

pub use complete::{Candidate, Completion, complete};
pub(crate) use definitions::nameless_imports;
pub use definitions::{Definition, definitions, depth, end_of_code, is_silent, last_statement, statement_at};
pub use help::Page;
pub use highlight::{Style, highlight};
pub use inspect::inspect;
pub use signature::signature;
pub use source::{Source, source};
pub use training::{folder_of_training, resuming, stopped, up_to_training};
pub use types::type_names;
