//! The imports between the files of `src`, resolved as the compiler resolves them. The test reads
//! `crate::`, `super::`, `self::` and relative paths, in `use`, in code and in the arguments of
//! macros. If a module exports a name by `pub use`, the import counts for the file that defines the
//! name.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graphmap::DiGraphMap;
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, ItemMod, ItemUse, UseTree, Visibility};

/// The names of a path, from left to right.
type Path = Vec<String>;

/// The files of a crate and the imports of each file.
pub struct Files {
    modules: BTreeMap<Path, Module>,
}

/// A module that has its own file.
#[derive(Default)]
struct Module {
    file: String,
    /// The names that `use` imports, each with its path.
    names: BTreeMap<String, Path>,
    /// The modules whose names are all imported.
    globs: Vec<Path>,
    /// The names of the items that the module defines.
    items: BTreeSet<String>,
    /// The paths that the module mentions, except the paths of `pub use`.
    mentions: BTreeSet<Path>,
}

impl Files {
    /// Reads files. The input is the path of each file under `src` and its text. The code of tests
    /// is left out.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Files {
        let modules = files.into_iter().map(|(file, text)| {
            let mut module = Module { file: file.to_owned(), ..Module::default() };
            let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
            let mut reader = Reader { module: &mut module, inside: Path::new() };
            reader.visit_file(&parsed);
            (module_path(file), module)
        });
        Files { modules: modules.collect() }
    }

    /// For each file, the other files of the crate from which it imports.
    pub fn imports(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let of = |(path, module): (&Path, &Module)| {
            let targets = module.mentions.iter().filter_map(|mention| self.file_of(path, mention));
            let targets = targets.filter(|target| *target != module.file).collect();
            (self.modules[path].file.as_str(), targets)
        };
        self.modules.iter().map(of).collect()
    }

    /// The circles: sets of files in which each file imports from each other file, directly or
    /// through other files.
    pub fn circles(&self) -> Vec<BTreeSet<&str>> {
        let imports = self.imports();
        let edges = imports.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)));
        let graph: DiGraphMap<&str, ()> = DiGraphMap::from_edges(edges);
        let parts = petgraph::algo::tarjan_scc(&graph).into_iter();
        let circles = parts.filter(|part| part.len() > 1).map(|part| part.into_iter().collect());
        let mut circles: Vec<BTreeSet<&str>> = circles.collect();
        circles.sort();
        circles
    }

    /// The file that defines a path. The path is in the module `at`. `None` if the path leads out
    /// of the crate.
    fn file_of(&self, at: &Path, path: &[String]) -> Option<&str> {
        self.resolve(at, path, 0).map(|module| self.modules[&module].file.as_str())
    }

    /// The module to which a path leads. If the path leads to an item, the module that defines the
    /// item.
    fn resolve(&self, at: &Path, path: &[String], steps: usize) -> Option<Path> {
        const STEPS: usize = 16;
        let (first, rest) = path.split_first().filter(|_| steps < STEPS)?;
        let (mut module, mut rest) = match first.as_str() {
            "crate" => (Path::new(), rest),
            "self" => (at.clone(), rest),
            "super" => (at[..at.len().checked_sub(1)?].to_vec(), rest),
            _ => {
                let start = self.child(at, first).or_else(|| self.named(at, first, steps))?;
                (start, rest)
            }
        };
        while let Some((name, after)) = rest.split_first() {
            let next = match name.as_str() {
                "super" => Some(module[..module.len().checked_sub(1)?].to_vec()),
                name => self.child(&module, name).or_else(|| self.named(&module, name, steps)),
            };
            let Some(next) = next else { break };
            (module, rest) = (next, after);
        }
        self.modules.contains_key(&module).then_some(module)
    }

    fn child(&self, module: &Path, name: &str) -> Option<Path> {
        let child: Path = module.iter().cloned().chain([name.to_owned()]).collect();
        self.modules.contains_key(&child).then_some(child)
    }

    /// The module of a name that `use` imports into the module `at`.
    fn named(&self, at: &Path, name: &str, steps: usize) -> Option<Path> {
        let module = self.modules.get(at)?;
        if let Some(path) = module.names.get(name) {
            return self.resolve(at, path, steps + 1);
        }
        module.globs.iter().find_map(|glob| {
            let inside = self.resolve(at, glob, steps + 1).filter(|inside| inside != at)?;
            if self.modules[&inside].items.contains(name) {
                return Some(inside);
            }
            self.child(&inside, name).or_else(|| self.named(&inside, name, steps + 1))
        })
    }
}

/// The module of a file: `router/map_server/mod.rs` is the module `router::map_server`.
fn module_path(file: &str) -> Path {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').filter(|part| *part != "lib").map(str::to_owned).collect()
}

/// Collects the names and paths of a file.
struct Reader<'a> {
    module: &'a mut Module,
    /// The inline modules around the position of the reader.
    inside: Path,
}

impl Reader<'_> {
    /// The path as seen from the top of the file, outside of the inline modules.
    fn seen_from_file(&self, path: Path) -> Path {
        let climbs = path.iter().take_while(|name| *name == "super").count();
        let climbs = climbs.min(self.inside.len());
        let from_module = climbs > 0 && path.get(climbs).is_some_and(|name| name != "super");
        let prefix = from_module.then(|| "self".to_owned());
        prefix.into_iter().chain(path.into_iter().skip(climbs)).collect()
    }

    fn mention(&mut self, path: Path) {
        if path.len() > 1 {
            let path = self.seen_from_file(path);
            self.module.mentions.insert(path);
        }
    }

    fn read_use(&mut self, tree: &UseTree, before: &Path, passes_on: bool) {
        let extended = |name: &syn::Ident| -> Path {
            before.iter().cloned().chain([name.to_string()]).collect()
        };
        match tree {
            UseTree::Path(path) => self.read_use(&path.tree, &extended(&path.ident), passes_on),
            UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.read_use(item, before, passes_on));
            }
            UseTree::Glob(_) => {
                let path = self.seen_from_file(before.clone());
                self.module.globs.push(path.clone());
                if !passes_on {
                    self.module.mentions.insert(path);
                }
            }
            UseTree::Name(name) if name.ident == "self" => {
                let brought = before.last().cloned();
                self.bring(brought, before.clone(), passes_on);
            }
            UseTree::Name(name) => {
                self.bring(Some(name.ident.to_string()), extended(&name.ident), passes_on);
            }
            UseTree::Rename(rename) => {
                let brought = rename.rename.to_string();
                self.bring(Some(brought), extended(&rename.ident), passes_on);
            }
        }
    }

    fn bring(&mut self, name: Option<String>, path: Path, passes_on: bool) {
        let path = self.seen_from_file(path);
        if let Some(name) = name {
            self.module.names.insert(name, path.clone());
        }
        if !passes_on {
            self.module.mentions.insert(path);
        }
    }

    /// Reads the tokens of a macro. A path in the tokens is a list of names with `::` between them.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path = Path::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.mention(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.mention(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.read_tokens(group.stream());
                    }
                }
            }
        }
        self.mention(path);
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &&Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    };
    attributes.iter().any(|attribute| is_test(&attribute))
}

/// The attributes of an item, and its name if it has one.
fn parts(item: &Item) -> (&[Attribute], Option<&Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::Impl(item) => (&item.attrs, None),
        Item::Mod(item) => (&item.attrs, None),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = parts(item);
        if is_of_tests(attributes) {
            return;
        }
        if self.inside.is_empty() {
            self.module.items.extend(name.map(Ident::to_string));
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.inside.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let passes_on = !matches!(item.vis, Visibility::Inherited);
        self.read_use(&item.tree, &Path::new(), passes_on);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.mention(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.read_tokens(called.tokens.clone());
        visit::visit_macro(self, called);
    }
}

#[cfg(test)]
mod tests {
    use super::Files;

    /// The file from which `a/x.rs` with this text imports.
    fn import(text: &str) -> Option<String> {
        let files = Files::read([
            ("a/mod.rs", "mod x; mod y; mod z; pub use y::Y; pub struct A;"),
            ("a/x.rs", text),
            ("a/y.rs", "pub struct Y;"),
            ("a/z.rs", "pub use super::y::*; pub const Z: u8 = 1;"),
            ("b.rs", "pub use crate::a::Y as B; pub fn b() {}"),
        ]);
        let imports = files.imports();
        imports["a/x.rs"].iter().next().map(|file| (*file).to_owned())
    }

    #[test]
    fn an_import_is_found_however_it_is_written() {
        for (text, file) in [
            ("use crate::a::y::Y;", "a/y.rs"),
            ("use super::y::{self, Y as Other};", "a/y.rs"),
            ("use super::A;", "a/mod.rs"),
            ("fn f() { super::z::Z; }", "a/z.rs"),
            ("fn f(y: crate::a::y::Y) {}", "a/y.rs"),
            ("fn f() { assert!(crate::b::b() == 1); }", "b.rs"),
            ("mod inner { use super::super::y::Y; }", "a/y.rs"),
            ("mod inner { fn f() { super::super::z::Z; } }", "a/z.rs"),
            ("use super::z::*; fn f() { Z; }", "a/z.rs"),
        ] {
            assert_eq!(import(text).as_deref(), Some(file), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_passed_on_counts_for_the_file_that_defines_it() {
        for text in ["use super::Y;", "use crate::b::B;", "use crate::a::z::Y;"] {
            assert_eq!(import(text).as_deref(), Some("a/y.rs"), "{text}");
        }
    }

    #[test]
    fn comments_tests_and_other_crates_are_no_imports() {
        for text in [
            "/// See [`crate::a::y`].\nfn f() {}",
            "#[cfg(test)] mod tests { use crate::a::y::Y; }",
            "#[cfg(test)] use crate::a::y::Y;",
            "use std::fmt; fn f() { y::g(); }",
            "pub use super::y::Y;",
            "mod inner { fn f() { super::g(); } } fn g() {}",
        ] {
            assert_eq!(import(text), None, "{text}");
        }
    }

    #[test]
    fn a_circle_goes_by_way_of_other_files() {
        let files = Files::read([
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", "use crate::a::A;"),
            ("d.rs", "use crate::a::A;"),
        ]);
        let circles = files.circles();
        assert_eq!(circles.len(), 1);
        assert_eq!(circles[0].iter().copied().collect::<Vec<_>>(), ["a.rs", "b.rs", "c.rs"]);
    }
}
