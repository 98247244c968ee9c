//! The shape of the source tree: which module may use which, headers, where `unsafe` may stand.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules in the order text passes through them; each may use those before it.
const ORDER: &[&str] = &[
    "error",
    "limits",
    "suggest",
    "elementary",
    "data",
    "weights",
    "ir",
    "syntax",
    "elaborate",
    "batch",
    "differentiate",
    "simplify",
    "precise",
    "print",
    "loops",
    "jit",
    "train",
    "derivation",
    "gradients",
    "engine",
    "models",
    "objective",
    "reading",
    "cli",
];

/// The files that may be unsafe.
const UNSAFE: [&str; 3] = ["src/jit/kernel.rs", "src/jit/tensor/kernel.rs", "src/jit/wide/kernel.rs"];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path.strip_prefix(root).expect("below the root").to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

fn module_of(path: &Path) -> String {
    let below = path.strip_prefix("src").expect("below src");
    let first = below.components().next().expect("a file").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Code without comments and doc examples.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"))
}

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        let Some(place) = ORDER.iter().position(|m| *m == module) else { continue };
        for (later, name) in ORDER.iter().enumerate().skip(place + 1) {
            debug_assert!(later > place);
            let uses = |line: &str| {
                line.contains(&format!("crate::{name}::")) || line.contains(&format!("crate::{name};"))
            };
            wrong.extend(code(&text).filter(|l| uses(l)).map(|l| format!("{}: {l}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "imports against the order of the stages:\n{}", wrong.join("\n"));
}

#[test]
fn the_command_line_uses_the_facade_only() {
    let inner =
        ["crate::ir::", "crate::jit::", "crate::loops::", "crate::syntax::", "crate::differentiate::"];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if module_of(&path) == "cli" {
            let uses = |line: &&str| inner.iter().any(|name| line.contains(name));
            wrong.extend(code(&text).filter(uses).map(|l| format!("{}: {l}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "inner modules used by the command line:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let missing: Vec<String> = sources()
        .iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(missing.is_empty(), "files without a `//!` header: {missing:?}");
}

#[test]
fn unsafe_stands_in_three_files_with_its_argument() {
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            // The type of an unsafe function is no unsafe code.
            if code.trim_start_matches("pub(super) ").starts_with("type ") {
                continue;
            }
            if !code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe") {
                continue;
            }
            let may = UNSAFE.iter().any(|file| path == Path::new(file));
            assert!(may, "unsafe code outside {UNSAFE:?}: {}:{}", path.display(), i + 1);
            let before = &lines[i.saturating_sub(12)..i];
            let argued = before.iter().any(|l| l.contains("SAFETY:") || l.contains("# Safety"));
            assert!(argued, "{}:{}: unsafe without a SAFETY comment", path.display(), i + 1);
        }
    }
}

#[test]
fn tests_are_unsafe_in_one_file() {
    /// Memory at fences.
    const FENCES: &str = "tests/it/memory/guard.rs";
    let mut seen = 0;
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                let mark = ["unsafe {", "unsafe fn ", "unsafe impl "];
                let any =
                    !path.ends_with("tidy.rs") && mark.iter().any(|m| code(&text).any(|l| l.contains(m)));
                seen += usize::from(any);
                assert!(!any || path.ends_with(FENCES), "unsafe code in {}", path.display());
            }
        }
    }
    assert_eq!(seen, 1, "{FENCES} has moved");
}

#[test]
fn nothing_is_left_undone() {
    let marks = ["todo!(", "unimplemented!(", "FIXME", "XXX"];
    for (path, text) in sources() {
        let left = text.lines().find(|line| marks.iter().any(|mark| line.contains(mark)));
        assert!(left.is_none(), "{}: {left:?}", path.display());
    }
}
