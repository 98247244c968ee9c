//! Turns `grammar/*.lalrpop` into parser tables in `OUT_DIR`, and does nothing else.

fn main() {
    let outcome = lalrpop::Configuration::new()
        .set_in_dir("grammar")
        .emit_rerun_directives(true)
        .emit_comments(false)
        .emit_whitespace(false)
        .process();
    if let Err(error) = outcome {
        eprintln!("the grammar does not compile: {error}");
        std::process::exit(1);
    }
}
