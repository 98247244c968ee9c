//! The README and the pages tell the truth: their commands are run, and print what they show.

use crate::data::Folder;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../../README.md");

/// The words of a command line with double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("there is a word").push(c),
        }
    }
    words
}

/// What a terminal shows in a folder: remarks, then results.
fn shown(command: &str, folder: &Path) -> String {
    let words = words(command);
    assert_eq!(words[0], "symdiff", "the README runs only our program: {command}");
    let output = Command::new(env!("CARGO_BIN_EXE_symdiff"))
        .args(&words[1..])
        .current_dir(folder)
        .output()
        .unwrap_or_else(|e| panic!("{command}: {e}"));
    let text = |bytes| String::from_utf8(bytes).expect("the program prints text");
    text(output.stderr) + &text(output.stdout)
}

/// Copies what a folder and those in it hold, but weights.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        let target = to.join(path.file_name().expect("a listed path has a name"));
        match path.is_dir() {
            true => copied(&path, &target),
            false => drop(std::fs::copy(&path, &target).expect("it can be copied")),
        }
    }
}

#[test]
fn every_command_prints_what_the_readme_shows() {
    let folder = Folder::new("readme");
    copied(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), &folder.0.join("examples"));
    assert!(commands_of(README, &folder.0) > 5, "the README shows commands");
}

#[test]
fn every_command_prints_what_the_page_on_formulas_shows() {
    let folder = Folder::new("formulas");
    let page = include_str!("../../docs/formulas.md");
    assert!(commands_of(page, &folder.0) > 3, "the page shows commands");
}

/// Runs the commands of a page in a folder; how many there are.
fn commands_of(page: &str, folder: &Path) -> usize {
    let mut commands = 0;
    for block in page.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for entry in block.split("$ ").skip(1) {
            let (command, expected) = entry.split_once('\n').expect("a command ends its line");
            assert_eq!(shown(command, folder), expected, "{command}");
            commands += 1;
        }
    }
    commands
}

#[test]
fn the_readme_names_the_test_command_that_ci_runs() {
    let ci = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/run")).expect("the CI script");
    assert!(README.contains("cargo test") && ci.contains("cargo test"));
}

const PROGRAMS: &str = include_str!("../../docs/programs.md");

/// The pieces of the page on programs that are programs.
fn programs() -> impl Iterator<Item = &'static str> {
    PROGRAMS.split("```sd\n").skip(1).map(|block| block.split("```").next().unwrap_or_default())
}

#[test]
fn every_program_of_the_page_on_programs_is_one() {
    use symdiff::elaborate::program::{Phase, read_program};
    for program in programs() {
        if let Err(error) = read_program(program, Phase::Train, &symdiff::Limits::default()) {
            panic!("{error}\n{program}");
        }
    }
    assert!(programs().count() > 5, "the page shows programs");
}

/// The names the library's files define at the beginning of a line.
fn library_names() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/elaborate/library");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the library is there") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_none_or(|extension| extension != "sd") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("it can be read");
        for line in text.lines() {
            let line = line.trim_start_matches("layer ").trim_start_matches("optimizer ");
            let name: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() && line[name.len()..].starts_with('(') {
                names.push(name);
            }
        }
    }
    names
}

#[test]
fn the_page_on_programs_names_the_whole_library() {
    let names = library_names();
    assert!(names.len() > 40, "{names:?}");
    let is_untold = |name: &&String| {
        let mut words = PROGRAMS.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        !words.any(|word| word == name.as_str())
    };
    let missing: Vec<&String> = names.iter().filter(is_untold).collect();
    assert!(missing.is_empty(), "not in docs/programs.md: {missing:?}");
}
