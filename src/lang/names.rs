//! What has a name, for builtins that look for one.

use std::cell::OnceCell;
use std::rc::Rc;

use rhai::{AST, Engine, NativeCallContext};

use super::catalog::Catalog;
use super::options::Tables;
use super::standard::Standard;
use super::surroundings;

/// Everything that a script can call, but for its own functions; read when it is first asked for.
pub(crate) struct Names {
    /// The option tables of all builtins.
    pub(crate) tables: Rc<Tables>,
    standard: Standard,
    catalog: OnceCell<Catalog>,
}

impl Names {
    pub(crate) fn new(tables: Rc<Tables>, standard: Standard) -> Self {
        Self { tables, standard, catalog: OnceCell::new() }
    }

    pub(crate) fn catalog(&self, engine: &Engine) -> &Catalog {
        self.catalog
            .get_or_init(|| Catalog::read(engine, &AST::empty(), self.standard.unregistered(engine), &self.tables))
    }
}

/// What has a name.
pub(crate) fn names(ctx: &NativeCallContext) -> Rc<Names> {
    surroundings::names(ctx).downcast().expect("the engine keeps the names it was built with")
}
