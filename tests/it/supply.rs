//! What we are built of: licences that may be used freely, one code generator, a lockfile.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// Licences each of which is enough by itself.
const ALLOWED: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Zlib",
];

/// Everything that is built here by default, tests included; so nothing has to be fetched.
fn packages() -> Vec<Value> {
    let compiler = Command::new("rustc").arg("-vV").output().expect("the compiler runs");
    let compiler = String::from_utf8(compiler.stdout).expect("it prints text");
    let host = compiler.lines().find_map(|line| line.strip_prefix("host: ")).expect("it names its host");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"].as_array().expect("a list of packages").clone()
}

/// Whether an SPDX expression of `OR` and `AND`, with parentheses around alternatives, allows us in.
fn is_free(licence: &str) -> bool {
    let alternatives = |part: &str| {
        let part = part.replace('/', " OR ");
        part.split(" OR ").any(|one| ALLOWED.contains(&one.trim().trim_matches(['(', ')'])))
    };
    licence.split(" AND ").all(alternatives)
}

#[test]
fn licences_are_read_as_they_are_meant() {
    for free in ["MIT", "Unlicense/MIT", "Apache-2.0 / MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(is_free(free), "{free}");
    }
    for other in ["GPL-3.0", "LGPL-2.1-or-later", "MIT AND GPL-2.0", ""] {
        assert!(!is_free(other), "{other}");
    }
}

#[test]
fn every_licence_is_free() {
    let mut wrong = Vec::new();
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or_default();
        if !is_free(licence) {
            wrong.push(format!("{} {}: {licence:?}", package["name"], package["version"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn there_is_one_version_of_each_part_of_the_code_generator() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap_or_default().to_owned();
        if name.starts_with("cranelift") {
            versions.entry(name).or_default().push(package["version"].to_string());
        }
    }
    assert!(versions.len() > 4, "{versions:?}");
    assert!(versions.values().all(|of| of.len() == 1), "{versions:?}");
}
