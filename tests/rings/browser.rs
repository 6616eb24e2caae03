//! Modules that build for the browser must not name a crate that exists for Linux only. `web/build`
//! builds these modules. This test finds the mistake sooner, and on machines without the compiler
//! for the browser.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::Item;

/// The crates under `[target.'cfg(target_os = "linux")'.dependencies]` of Cargo.toml. A `-` in a
/// name becomes a `_`, as in Rust.
fn linux_crates(manifest: &str) -> BTreeSet<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let crates =
        manifest["target"][r#"cfg(target_os = "linux")"#]["dependencies"].as_table().unwrap();
    crates.keys().map(|name| name.replace('-', "_")).collect()
}

/// The modules of `src/lib.rs` that are built on every machine: the modules without an attribute.
fn modules_for_all(library: &str) -> Vec<String> {
    let items = syn::parse_file(library).unwrap().items.into_iter();
    let modules = items.filter_map(|item| match item {
        Item::Mod(module) if module.attrs.is_empty() => Some(module.ident.to_string()),
        _ => None,
    });
    modules.collect()
}

/// Collects all names in the tokens of a source.
fn names(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => drop(found.insert(name.to_string())),
            TokenTree::Group(group) => names(group.stream(), found),
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// The crates of the list `crates` that a source names outside of its tests.
fn named(text: &str, crates: &BTreeSet<String>) -> Vec<String> {
    let product = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    let mut found = BTreeSet::new();
    names(product.parse().unwrap(), &mut found);
    crates.intersection(&found).cloned().collect()
}

fn files_below(path: PathBuf) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path];
    }
    let entries = fs::read_dir(path).unwrap();
    entries.flat_map(|entry| files_below(entry.unwrap().path())).collect()
}

#[test]
fn modules_for_the_browser_name_no_crate_of_linux() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = linux_crates(&fs::read_to_string(root.join("Cargo.toml")).unwrap());
    let modules = modules_for_all(&fs::read_to_string(root.join("src/lib.rs")).unwrap());
    for expected in
        ["wire", "router", "host", "console", "record", "capture", "lab", "watch", "sim"]
    {
        assert!(modules.iter().any(|module| module == expected), "{expected} is for all machines");
    }
    let mut findings = Vec::new();
    for module in modules {
        let file = root.join("src").join(format!("{module}.rs"));
        let folder = root.join("src").join(&module);
        let is_source =
            |file: &PathBuf| file.extension().is_some_and(|end| end == "rs") && file.is_file();
        let files = files_below(folder).into_iter().chain([file]).filter(is_source);
        for file in files {
            let found = named(&fs::read_to_string(&file).unwrap(), &crates);
            findings.extend(found.iter().map(|name| format!("{}: {name}", file.display())));
        }
    }
    assert!(findings.is_empty(), "crates of Linux:\n{}", findings.join("\n"));
}

#[test]
fn a_crate_of_linux_is_found_however_it_is_named() {
    let crates =
        linux_crates("[target.'cfg(target_os = \"linux\")'.dependencies]\ntun-tap = \"0.1\"");
    for (text, count) in [
        ("use tun_tap::Iface;", 1),
        ("fn f() { g(tun_tap::Mode::Tun) }", 1),
        ("fn f() { assert!(tun_tap::g()) }", 1),
        ("/// A tun_tap device.\nfn f() { \"tun_tap\"; }", 0),
        ("fn f() {}\n#[cfg(test)]\nmod tests { use tun_tap::Iface; }", 0),
    ] {
        assert_eq!(named(text, &crates).len(), count, "{text}");
    }
    let library = "pub mod wire; #[cfg(target_os = \"linux\")] pub mod driver;";
    assert_eq!(modules_for_all(library), ["wire"]);
}
