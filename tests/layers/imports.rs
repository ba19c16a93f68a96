//! What every source file uses, by resolved paths: `use` trees, paths in code and inside macros, re-exports followed to
//! the file that defines the thing. Code of tests is left out.
//!
//! What only the compiler can tell is not seen: whose method a call is, and what a macro makes. A name that a module
//! does not seem to have counts as the module's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::ext::IdentExt;
use syn::parse::discouraged::AnyDelimiter;
use syn::parse::{ParseStream, Parser};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, Token, UseTree, Visibility};

/// What one source file uses.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Files whose definitions its code needs: where these lead in a circle, neither file can be read alone.
    pub(super) needs: BTreeSet<String>,
    /// Files of everything that it names, modules and re-exports among them.
    pub(super) names: BTreeSet<String>,
    /// Paths that lead out of the crate, such as `std::fs::read`.
    pub(super) outside: BTreeSet<String>,
    /// Names of the methods that it calls.
    pub(super) methods: BTreeSet<String>,
}

/// The uses of every file of a program, by path below its folder, from the crate roots `lib.rs` and `main.rs` on.
pub(super) fn uses_of_files(folder: &Path) -> BTreeMap<String, Uses> {
    let mut program = Program { folder: folder.to_owned(), modules: Vec::new(), sources: Vec::new() };
    for root in ["lib.rs", "main.rs"] {
        if folder.join(root).is_file() {
            program.read_file(root.to_owned(), None);
        }
    }
    let mut uses = BTreeMap::<_, Uses>::new();
    for (module, source) in &program.sources {
        let found = uses.entry(program.modules[*module].file.clone()).or_default();
        Reader { program: &program, module: *module, found }.visit_file(source);
    }
    uses
}

/// The modules of both crates.
struct Program {
    folder: PathBuf,
    modules: Vec<Module>,
    /// The parsed text of every module that has a file, by the index of the module.
    sources: Vec<(usize, syn::File)>,
}

struct Module {
    file: String,
    /// Where the files of its children are.
    folder: PathBuf,
    parent: Option<usize>,
    root: usize,
    names: BTreeMap<String, Vec<Meaning>>,
    globs: Vec<Vec<String>>,
}

/// What a name in a module stands for.
#[derive(Clone)]
enum Meaning {
    Module(usize),
    Defined(String),
    Import(Vec<String>),
}

/// Where a path leads.
#[derive(Clone, PartialEq)]
enum Target {
    Module(usize),
    File(String),
    Outside(String),
}

/// Imports of imports followed before a path counts as one of another crate.
const LONGEST_CHAIN: usize = 32;

impl Program {
    fn read_file(&mut self, file: String, parent: Option<usize>) -> usize {
        let text = fs::read_to_string(self.folder.join(&file)).unwrap();
        let source = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let path = Path::new(&file);
        let folder = match path.file_stem().unwrap().to_str().unwrap() {
            "mod" | "lib" | "main" => path.parent().unwrap().to_owned(),
            _ => path.with_extension(""),
        };
        let module = self.add_module(file, folder, parent);
        self.read_items(module, &source.items);
        self.sources.push((module, source));
        module
    }

    fn add_module(&mut self, file: String, folder: PathBuf, parent: Option<usize>) -> usize {
        let module = self.modules.len();
        let root = parent.map_or(module, |parent| self.modules[parent].root);
        self.modules.push(Module { file, folder, parent, root, names: BTreeMap::new(), globs: Vec::new() });
        module
    }

    fn read_items(&mut self, module: usize, items: &[Item]) {
        let file = self.modules[module].file.clone();
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            let root = self.modules[module].root;
            let mut define = |module: usize, name: &Ident| {
                self.name(module, name.unraw().to_string(), Meaning::Defined(file.clone()));
            };
            match item {
                Item::Const(item) => define(module, &item.ident),
                Item::Enum(item) => define(module, &item.ident),
                Item::Fn(item) => define(module, &item.sig.ident),
                Item::Static(item) => define(module, &item.ident),
                Item::Struct(item) => define(module, &item.ident),
                Item::Trait(item) => define(module, &item.ident),
                Item::Type(item) => define(module, &item.ident),
                Item::Macro(item) => {
                    if let Some(name) = &item.ident {
                        let exported = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
                        define(if exported { root } else { module }, name);
                    }
                }
                Item::Mod(item) => self.read_module(module, item),
                Item::Use(item) => self.read_import(module, item),
                _ => {}
            }
        }
    }

    fn name(&mut self, module: usize, name: String, meaning: Meaning) {
        self.modules[module].names.entry(name).or_default().push(meaning);
    }

    fn read_module(&mut self, parent: usize, item: &syn::ItemMod) {
        let name = item.ident.unraw().to_string();
        let folder = self.modules[parent].folder.join(&name);
        let child = match &item.content {
            Some((_, items)) => {
                let child = self.add_module(self.modules[parent].file.clone(), folder, Some(parent));
                self.read_items(child, items);
                child
            }
            None => {
                let file = [folder.with_extension("rs"), folder.join("mod.rs")];
                let file = file.iter().find(|file| self.folder.join(file).is_file());
                let file = file.unwrap_or_else(|| panic!("{} is nowhere", folder.display())).to_str().unwrap();
                self.read_file(file.replace('\\', "/"), Some(parent))
            }
        };
        self.name(parent, name, Meaning::Module(child));
    }

    fn read_import(&mut self, module: usize, item: &syn::ItemUse) {
        for import in imports(item) {
            match import.name.as_deref() {
                Some("_") => {}
                Some(name) => self.name(module, name.to_owned(), Meaning::Import(import.path)),
                None => self.modules[module].globs.push(import.path),
            }
        }
    }

    /// Where a path that is written in `module` may lead: a function and a module can share a name.
    fn resolve(&self, module: usize, path: &[String], chain: usize) -> Vec<Target> {
        let first = path[0].as_str();
        let start = match first {
            "crate" => vec![Target::Module(self.modules[module].root)],
            "self" => vec![Target::Module(module)],
            "super" => vec![Target::Module(self.modules[module].parent.expect("a root has no parent"))],
            _ => self.look_up(module, first, chain),
        };
        let start = match first {
            _ if !start.is_empty() => start,
            // The command names the library as other programs do; the library is read first.
            env!("CARGO_PKG_NAME") => vec![Target::Module(0)],
            outside => vec![Target::Outside(outside.to_owned())],
        };
        path[1..].iter().fold(start, |found, name| self.step(&found, name, chain))
    }

    fn step(&self, found: &[Target], name: &str, chain: usize) -> Vec<Target> {
        let is_item = |target: &Target| matches!(target, Target::File(_));
        let only_items = found.iter().all(is_item);
        let mut next = Vec::new();
        for target in found.iter().filter(|target| only_items || !is_item(target)) {
            match target {
                Target::Module(module) if name == "super" => {
                    next.push(Target::Module(self.modules[*module].parent.expect("a root has no parent")));
                }
                Target::Module(module) => match self.look_up(*module, name, chain) {
                    unknown if unknown.is_empty() => next.push(Target::File(self.modules[*module].file.clone())),
                    known => next.extend(known),
                },
                Target::File(file) => next.push(Target::File(file.clone())),
                Target::Outside(path) => next.push(Target::Outside(format!("{path}::{name}"))),
            }
        }
        next
    }

    fn look_up(&self, module: usize, name: &str, chain: usize) -> Vec<Target> {
        if chain == LONGEST_CHAIN {
            return Vec::new();
        }
        let place = &self.modules[module];
        if let Some(meanings) = place.names.get(name) {
            let follow = |meaning: &Meaning| match meaning {
                Meaning::Module(child) => vec![Target::Module(*child)],
                Meaning::Defined(file) => vec![Target::File(file.clone())],
                Meaning::Import(path) => self.resolve(module, path, chain + 1),
            };
            return meanings.iter().flat_map(follow).collect();
        }
        let globs = place.globs.iter().flat_map(|path| self.resolve(module, path, chain + 1));
        let inside = |target| match target {
            Target::Module(module) => self.look_up(module, name, chain + 1),
            _ => Vec::new(),
        };
        globs.flat_map(inside).collect()
    }
}

/// One leaf of a `use` tree; the name is `None` for a glob.
struct Import {
    path: Vec<String>,
    name: Option<String>,
}

fn imports(item: &syn::ItemUse) -> Vec<Import> {
    fn leaves(tree: &UseTree, path: &[String], found: &mut Vec<Import>) {
        let longer = |name: &Ident| [path, &[name.unraw().to_string()]].concat();
        match tree {
            UseTree::Path(tree) => leaves(&tree.tree, &longer(&tree.ident), found),
            UseTree::Name(tree) if tree.ident == "self" => {
                found.push(Import { path: path.to_vec(), name: path.last().cloned() });
            }
            UseTree::Name(tree) => {
                found.push(Import { path: longer(&tree.ident), name: Some(tree.ident.unraw().to_string()) });
            }
            UseTree::Rename(tree) => {
                let path = if tree.ident == "self" { path.to_vec() } else { longer(&tree.ident) };
                found.push(Import { path, name: Some(tree.rename.to_string()) });
            }
            UseTree::Glob(_) => found.push(Import { path: path.to_vec(), name: None }),
            UseTree::Group(tree) => tree.items.iter().for_each(|tree| leaves(tree, path, found)),
        }
    }
    let mut found = Vec::new();
    leaves(&item.tree, &[], &mut found);
    found
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(syn::ItemConst { attrs, .. })
        | Item::Enum(syn::ItemEnum { attrs, .. })
        | Item::Fn(syn::ItemFn { attrs, .. })
        | Item::Impl(syn::ItemImpl { attrs, .. })
        | Item::Macro(syn::ItemMacro { attrs, .. })
        | Item::Mod(syn::ItemMod { attrs, .. })
        | Item::Static(syn::ItemStatic { attrs, .. })
        | Item::Struct(syn::ItemStruct { attrs, .. })
        | Item::Trait(syn::ItemTrait { attrs, .. })
        | Item::Type(syn::ItemType { attrs, .. })
        | Item::Use(syn::ItemUse { attrs, .. }) => attrs,
        _ => &[],
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let names_test = |attribute: &Attribute| attribute.parse_args::<Ident>().is_ok_and(|word| word == "test");
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg") && names_test(attribute))
}

/// Collects what the code of one file uses.
struct Reader<'a> {
    program: &'a Program,
    module: usize,
    found: &'a mut Uses,
}

impl Reader<'_> {
    /// Notes a path of code or of an import; what is only handed on is named but not needed.
    fn note(&mut self, path: &[String], handed_on: bool) {
        for target in self.program.resolve(self.module, path, 0) {
            match target {
                Target::Outside(path) => drop(self.found.outside.insert(path)),
                // A lone word that is the name of a module is another thing of that name, such as a variable.
                Target::Module(_) if path.len() == 1 => {}
                Target::Module(module) => drop(self.found.names.insert(self.program.modules[module].file.clone())),
                Target::File(file) => {
                    self.found.names.insert(file.clone());
                    if !handed_on && file != self.program.modules[self.module].file {
                        self.found.needs.insert(file);
                    }
                }
            }
        }
    }

    /// Notes paths and methods among the tokens of a macro.
    fn scan(&mut self, input: ParseStream) -> syn::Result<()> {
        let mut after_dot = false;
        while !input.is_empty() {
            let is_method = std::mem::replace(&mut after_dot, false);
            if input.peek(syn::token::Paren) || input.peek(syn::token::Bracket) || input.peek(syn::token::Brace) {
                let (_, _, inside) = input.parse_any_delimiter()?;
                self.scan(&inside)?;
            } else if input.peek(Ident::peek_any) {
                let mut path = vec![Ident::parse_any(input)?.unraw().to_string()];
                while input.peek(Token![::]) {
                    input.parse::<Token![::]>()?;
                    if !input.peek(Ident::peek_any) {
                        break;
                    }
                    path.push(Ident::parse_any(input)?.unraw().to_string());
                }
                match is_method {
                    true => drop(self.found.methods.insert(path.swap_remove(0))),
                    false => self.note(&path, false),
                }
            } else if input.peek(Token![..]) {
                input.parse::<Token![..]>()?;
            } else {
                after_dot = input.peek(Token![.]);
                input.step(|cursor| Ok(((), cursor.token_tree().expect("not at the end").1)))?;
            }
        }
        Ok(())
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            let Meaning::Module(child) = self.program.modules[self.module].names[&item.ident.unraw().to_string()][0]
            else {
                panic!("{} is no module", item.ident);
            };
            let outer = std::mem::replace(&mut self.module, child);
            visit::visit_item_mod(self, item);
            self.module = outer;
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let handed_on = !matches!(item.vis, Visibility::Inherited);
        for import in imports(item) {
            self.note(&import.path, handed_on);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
        self.note(&names, false);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        let scan = |input: ParseStream| self.scan(input);
        scan.parse2(item.tokens.clone()).expect("any tokens can be scanned");
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.found.methods.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}
