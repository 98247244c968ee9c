//! The README tells the truth: its commands are run, and print what it shows.

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

/// What a terminal shows: remarks, then results.
fn shown(command: &str) -> String {
    let words = words(command);
    assert_eq!(words[0], "symdiff", "the README runs only our program: {command}");
    let output = Command::new(env!("CARGO_BIN_EXE_symdiff"))
        .args(&words[1..])
        .output()
        .unwrap_or_else(|e| panic!("{command}: {e}"));
    let text = |bytes| String::from_utf8(bytes).expect("the program prints text");
    text(output.stderr) + &text(output.stdout)
}

#[test]
fn every_command_prints_what_the_readme_shows() {
    let mut commands = 0;
    for block in README.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for entry in block.split("$ ").skip(1) {
            let (command, expected) = entry.split_once('\n').expect("a command ends its line");
            assert_eq!(shown(command), expected, "{command}");
            commands += 1;
        }
    }
    assert!(commands > 5, "the README shows commands");
}

#[test]
fn the_readme_names_the_test_command_that_ci_runs() {
    let ci = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/run")).expect("the CI script");
    assert!(README.contains("cargo test") && ci.contains("cargo test"));
}
