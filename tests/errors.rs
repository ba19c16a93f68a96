//! What a user sees when something is wrong: every case of `tests/errors/*.rhai`, rendered without colours.
//!
//! A file holds one wrong text per block; blocks are separated by lines of `----`. To accept a change, run with
//! `INSTA_UPDATE=always` and read the difference.

use std::path::Path;

use tumble::Runtime;

#[test]
fn errors_say_what_where_and_the_way_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("errors");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _guard = settings.bind_to_scope();
    for topic in
        ["names", "slips", "options", "processes", "syntax", "calls", "values", "modules", "networks", "data", "sweeps"]
    {
        let file = folder.join(format!("{topic}.rhai"));
        let text = std::fs::read_to_string(&file).unwrap();
        let cases = text.split("\n----\n").map(|case| render(&folder, case.trim_end()));
        insta::assert_snapshot!(topic, cases.collect::<Vec<_>>().join("\n"));
    }
}

/// The error of a text that lies in `folder`.
fn render(folder: &Path, text: &str) -> String {
    // Beside the modules that it imports; the reader of the snapshot need not see where that is.
    let name = folder.join("case.rhai");
    match Runtime::new().run_named(&name.display().to_string(), text) {
        Ok(value) => panic!("no error, but {value}: {text}"),
        Err(diagnostic) => diagnostic.render(false).replace(&format!("{}/", folder.display()), ""),
    }
}
